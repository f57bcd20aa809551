from .abnormal_returns import AbnormalReturns as AbnormalReturns
from .abnormal_returns import form as form
from .conventions import Conventions as Conventions
from .estimates import Estimates as Estimates
from .estimates import Runs as Runs
from .recent_days import RecentDays as RecentDays
