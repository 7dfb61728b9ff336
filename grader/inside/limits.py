"""What one box may use, as numbers."""

PROCESSES, DESCRIPTORS = 256, 512
WORKER_DESCRIPTORS = 4 * DESCRIPTORS  # so that nothing that a student holds keeps it from passing one on
FILE_MB, DISK_MB, SHARED_MB, INODES = 256, 512, 128, 8192
SOCKETS = 64  # in the directory that is shared with the host; a kernel has five
MESSAGE_MB = 16  # of one message of a kernel
HANDLER_SECONDS = 60  # of processor time
