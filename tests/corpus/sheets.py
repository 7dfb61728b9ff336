"""The assignments of the corpus, and the cases that are known to be judged otherwise than a fair examiner would."""

from __future__ import annotations

from corpus.cases import Sheet
from corpus.exercise_11 import base as exercise_11
from corpus.softmax import base as softmax
from support import ROOT

NOTHING = "without a return there is no value to judge, however right the body is"
NO_RESULT = "no hidden input gives a finite result, so the right part of the work does not show"
STATE = "every call has a process of its own, so what a function remembers does not show"

EXERCISE_11 = Sheet(
    "exercise_11",
    ROOT,
    {
        "low_dimensional_similarities": 2,
        "kl_divergence": 2,
        "tsne_gradient": 6,
        "reconstruct": 1,
        "reconstruction_error": 2,
        "reconstruction_error_gradient": 4,
        "minimum_error": 2,
        "fit_linear_autoencoder": 3,
        "shift_user_mean": 3,
        "initialize_Q_P": 3,
        "latent_factor_alternating_optimization": 8,
    },
    exercise_11.CELL_OF,
    (
        "right_01_tsne",
        "right_02_autoencoder",
        "right_03_recommender",
        "right_04_more",
        "wrong_01_tsne",
        "wrong_02_autoencoder",
        "wrong_03_recommender",
        "wrong_04_no_work",
        "wrong_05_more",
    ),
    {
        **dict.fromkeys(("W_kl_no_return", "W_q_forgotten_return", "W_sh_no_return"), NOTHING),
        **dict.fromkeys(("W_kl_nan_whole_matrix", "W_mn_hard_D_64", "W_q_hard_coded_350"), NO_RESULT),
        **dict.fromkeys(("W_q_state", "W_rec_state_weights"), STATE),
    },
)
SOFTMAX = Sheet(
    "softmax",
    softmax.FOLDER,
    {"softmax": 2, "predict_proba": 1.5, "predict": 1, "loss": 2.5, "gradient": 3, "fit": 2},
    softmax.CELL_OF,
    ("right_softmax", "wrong_softmax"),
    {
        "W_fit_lr_ignored": "a fixed learning rate is a known mistake for one value of it only",
    },
)
SHEETS = {sheet.name: sheet for sheet in (EXERCISE_11, SOFTMAX)}
