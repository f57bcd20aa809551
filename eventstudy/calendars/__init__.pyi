from .exchanges import Exchange as Exchange
from .exchanges import Symbol as Symbol
from .exchanges import bundled_rows as bundled_rows
from .schedule import CalendarChoice as CalendarChoice
from .schedule import Sessions as Sessions
from .schedule import weekdays_closed as weekdays_closed
from .window import Window as Window
