from .config import Grid as Grid
from .config import StudyConfig as StudyConfig
from .settings import Setting as Setting
from .settings import within as within
from .study_file import StudyFile as StudyFile
from .study_file import StudyFileError as StudyFileError
from .study_file import read_config as read_config
