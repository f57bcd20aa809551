from .wire import GONE as GONE
from .wire import UNCHANGED as UNCHANGED
from .wire import Response as Response
from .wire import Wants as Wants
from .wire import Wire as Wire
from .wire import read_xml as read_xml
