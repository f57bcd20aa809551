from .shelf import Answer as Answer
from .shelf import Shelf as Shelf
from .types import VERBS as VERBS
from .types import Action as Action
from .types import Named as Named
from .types import RecordSource as RecordSource
from .wire import Wire as Wire
