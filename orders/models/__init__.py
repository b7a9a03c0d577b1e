"""Every table of the orders, their querysets, and properties that are read from a row alone.

All rooms above import them from here: `X as X` hands a name on. Read order.py first, then task.py.
"""

from accounts.models import TrailLine
from orders.models.bulk_job import Bulk as Bulk
from orders.models.bulk_job import ListTemplate as ListTemplate
from orders.models.bulk_job import MassDraft as MassDraft
from orders.models.bulk_job import MassJob as MassJob
from orders.models.bulk_job import MassLine as MassLine
from orders.models.bulk_job import Plan as Plan
from orders.models.bulk_job import PlanPart as PlanPart
from orders.models.customer import Customer as Customer
from orders.models.customer import CustomerQuerySet as CustomerQuerySet
from orders.models.customer import CustomerSum as CustomerSum
from orders.models.customer import Payment as Payment
from orders.models.customer import PriceList as PriceList
from orders.models.customer import SellingRule as SellingRule
from orders.models.kept_search import KeptSearch as KeptSearch
from orders.models.order import Order as Order
from orders.models.order import OrderQuerySet as OrderQuerySet
from orders.models.poll import Poll as Poll
from orders.models.poll import PollCall as PollCall
from orders.models.saved_view import ReportMail as ReportMail
from orders.models.saved_view import SavedView as SavedView
from orders.models.send_state import Approval as Approval
from orders.models.send_state import Sending as Sending
from orders.models.statistics import Charged as Charged
from orders.models.statistics import Folding as Folding
from orders.models.statistics import Pace as Pace
from orders.models.statistics import Reading as Reading
from orders.models.statistics import SaleLine as SaleLine
from orders.models.statistics import SaleSum as SaleSum
from orders.models.statistics import ServiceScore as ServiceScore
from orders.models.statistics import Spending as Spending
from orders.models.statistics import Spent as Spent
from orders.models.statistics import Tally as Tally
from orders.models.statistics import Words as Words
from orders.models.task import Attempt as Attempt
from orders.models.task import Task as Task
from orders.models.task import TaskQuerySet as TaskQuerySet
from orders.models.team import AnswerText as AnswerText
from orders.models.team import Handed as Handed
from orders.models.team import Mention as Mention
from orders.models.team import Note as Note
from orders.models.team import Presence as Presence
from orders.models.team import ShiftNote as ShiftNote
from orders.models.team import ShiftReader as ShiftReader
from orders.models.team import Worklist as Worklist
from orders.models.webhook import Arrival as Arrival
from orders.models.webhook import Delivery as Delivery
from orders.models.webhook import Endpoint as Endpoint
from orders.models.webhook import TurnedAway as TurnedAway

Event = TrailLine  # what happened, to one order or to many, is a line of the trail
