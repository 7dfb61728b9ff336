"""The commands of LaTeX that the reader knows, as tables."""

SPACES = set(", ; : ! > / ~".split()) | {" ", "\n", "\t"}
DROPPED = SPACES | set(
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm "
    "limits nolimits displaystyle textstyle scriptstyle scriptscriptstyle nonumber notag "
    "qedhere checkmark qed square blacksquare hfill allowbreak break nobreak enspace thinspace medspace "
    "thickspace negthinspace noindent mathstrut strut mathopen mathclose mathbin mathrel "
    "mathord mathop mathinner smash boxed ensuremath bf rm it cal protect par ".split()
)
DROPPED_WITH_ARGUMENT = set(
    "label tag ref eqref hspace vspace phantom hphantom vphantom color cite footnote hskip "
    "textcolor colorbox".split()
)
TEXT = set(
    "text textrm textbf textit textsf textnormal mbox hbox emph intertext shortintertext textup".split()
)
UPRIGHT = set("mathrm operatorname mathsf mathtt mathup".split())
FONTS = set(
    "mathbf boldsymbol bm mathit mathcal mathscr mathfrak vec mathbb mathds pmb bold underline bbm".split()
)
DECORATIONS = set("tilde hat bar widetilde widehat overline dot ddot check".split())
FUNCTIONS = {
    "log",
    "ln",
    "exp",
    "sqrt",
    "tr",
    "diag",
    "det",
    "lg",
    "tanh",
    "sinh",
    "cosh",
    "sin",
    "cos",
    "tan",
}
NAMES = FUNCTIONS | {"KL", "T", "const", "Tr", "trace", "d", "softmax", "sigmoid", "KLD"}
OPEN, CLOSE = "open", "close"
BARS = {
    "|": ("‖", ""), "Vert": ("‖", ""), "parallel": ("‖", ""), "lVert": ("‖", OPEN), "rVert": ("‖", CLOSE),
    "mid": ("|", ""), "vert": ("|", ""), "lvert": ("|", OPEN), "rvert": ("|", CLOSE),
}  # fmt: skip
RENAMED = {
    "dfrac": r"\frac", "tfrac": r"\frac", "cfrac": r"\frac", "nicefrac": r"\frac", "sfrac": r"\frac",
    "ne": r"\neq", "le": r"\leq", "ge": r"\geq", "leqslant": r"\leq", "geqslant": r"\geq", "lt": "<",
    "gt": ">", "ast": "*", "lbrack": "[", "rbrack": "]", "lbrace": r"\{", "rbrace": r"\}", "colon": ":",
    "ldots": r"\dots", "cdots": r"\dots", "dotsc": r"\dots", "dotsb": r"\dots", "vdots": r"\dots",
    "coloneqq": ":=", "coloneq": ":=", "triangleq": ":=", "doteq": ":=", "eqqcolon": "=:", "equiv": "=",
    "varepsilon": r"\epsilon", "intercal": r"\top", "implies": r"\Rightarrow", "iff": r"\Leftrightarrow",
    "Longrightarrow": r"\Rightarrow", "Longleftrightarrow": r"\Leftrightarrow", "leadsto": r"\Rightarrow",
    "therefore": r"\Rightarrow", "because": r"\Rightarrow", "rightarrow": r"\to",
    "longrightarrow": r"\to", "qquad": r"\quad", "land": r"\wedge", "lor": r"\vee", "circ": r"\odot",
    "odot": r"\odot", "newline": r"\\", "tabularnewline": r"\\", "cr": r"\\", "vcentcolon": ":",
    "backslash": r"\setminus", "smallsetminus": r"\setminus", "langle": r"\langle", "varSigma": r"\Sigma",
}  # fmt: skip
REQUIRED = r"\overset{!}{=}"
CHARACTERS = {
    "−": "-", "–": "-", "·": r"\cdot", "×": r"\times", "≠": r"\neq", "∑": r"\sum", "∂": r"\partial",
    "∇": r"\nabla", "≤": r"\leq", "≥": r"\geq", "∈": r"\in", "‖": "‖", "∥": "‖", "∣": "|",
    "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow", "⊤": r"\top", "∀": r"\forall", "≈": r"\approx",
    "√": r"\sqrt", "δ": r"\delta", "λ": r"\lambda", "…": r"\dots", "∏": r"\prod", "⟨": r"\langle",
    "⟩": r"\rangle", "⊙": r"\odot", "σ": r"\sigma", "μ": r"\mu", "η": r"\eta", "α": r"\alpha",
    "β": r"\beta", "γ": r"\gamma", "ℓ": r"\ell",
}  # fmt: skip
INNER_ENVIRONMENTS = {"cases", "dcases", "rcases"}
OUTER_ENVIRONMENTS = set(
    "align aligned split gather gathered equation eqnarray multline flalign alignat alignedat displaymath "
    "math multlined".split()
)
SIDED = set("left right bigl bigr Bigl Bigr biggl biggr Biggl Biggr".split())
