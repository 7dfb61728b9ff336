"""The known mistakes of the light assignment."""

from __future__ import annotations

from grader.course import Misconception

SQUARES = "np.sum(rest**2)"
RMSE = "np.sqrt(np.mean((prediction - target) ** 2))"

MISCONCEPTIONS = (
    Misconception(
        "reconstruction_error",
        "error_averaged",
        "The mean of the squares stands where their sum belongs",
        "Does the error of a larger matrix grow?",
        {SQUARES: "np.mean(rest**2)"},
    ),
    Misconception(
        "reconstruction_error",
        "error_not_squared",
        "The norm is not squared",
        "Which unit does E have?",
        {SQUARES: "np.sqrt(np.sum(rest**2))"},
    ),
    Misconception(
        "reconstruction_gradient",
        "gradient_constant",
        "The constant of the chain rule is lost",
        "What does the square contribute to the derivative?",
        {"-2.0 * ": "-"},
        credit=0.5,
    ),
    Misconception(
        "reconstruction_gradient",
        "gradient_sign",
        "The gradient points downhill",
        "Which sign does A B have in the error?",
        {"-2.0": "2.0"},
        credit=0.5,
    ),
    Misconception(
        "rmse",
        "rmse_without_root",
        "The root is missing",
        "Which unit does the RMSE have?",
        {RMSE: "np.mean((prediction - target) ** 2)"},
    ),
    Misconception(
        "rmse",
        "rmse_absolute",
        "Absolute differences stand where squares belong",
        "What does the S of RMSE stand for?",
        {RMSE: "np.mean(np.abs(prediction - target))"},
    ),
)
