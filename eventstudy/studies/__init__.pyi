from .doors import EventStudy as EventStudy
from .doors import compare as compare
from .doors import run_study as run_study
from .doors import study as study
from .other_settings import RobustnessResults as RobustnessResults
from .other_settings import robustness as robustness
from .other_settings import robustness_of as robustness_of
from .results import EventStudyResults as EventStudyResults
