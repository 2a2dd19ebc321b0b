"""Every error that rldf raises on purpose, and the exit code each one ends the program with.

RldfError                1  the work failed
├── UsageError           2  wrong usage or bad input: the message names what to type instead
│   ├── GrammarError     2  a grammar file is wrong, or a sentence is not in its language
│   ├── ConfigError      2  a reward, a model set or an option is wrong
│   ├── ImageError       2  a file is not an image that can be read safely
│   ├── NoGoalError      2  the input image holds nothing the grammar has a word for
│   └── RunError         2  a run folder is missing, damaged or made with other options
└── ModelMissingError    3  a model, a weight file or an optional package is not on this machine
"""


class RldfError(Exception):
    """The base class of all errors of rldf.

    Its message is one line for the user, which ends with the next command to type.
    """

    exit_code = 1


class UsageError(RldfError):
    """An option, an argument or an input file that the user gave is wrong."""

    exit_code = 2


class GrammarError(UsageError):
    """A grammar file is wrong, or a sentence or vector is outside its language."""


class ConfigError(UsageError):
    """A reward file, a model set or an option is wrong."""


class ImageError(UsageError):
    """A file is not an image that can be read safely."""


class NoGoalError(UsageError):
    """The input image holds nothing that the grammar has a word for."""


class RunError(UsageError):
    """A run folder is missing, is damaged, or was made with other options."""


class ModelMissingError(RldfError):
    """A model, a weight file or an optional package is not on this machine."""

    exit_code = 3
