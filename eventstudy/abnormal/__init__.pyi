from .abnormal_returns import AbnormalReturns as AbnormalReturns
from .abnormal_returns import form as form
from .conventions import Conventions as Conventions
from .estimates import Estimates as Estimates
from .estimates import RecentDays as RecentDays
from .estimates import Runs as Runs
