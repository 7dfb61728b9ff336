"""What one box may use, as numbers."""

PROCESSES, DESCRIPTORS = 256, 512
FILE_MB, DISK_MB, SHARED_MB, INODES = 256, 512, 128, 8192
SOCKETS = 64  # in the directory that is shared with the host; a kernel has five
MESSAGE_MB = 16  # of one message of a kernel
HANDLER_SECONDS = 60  # of processor time
