"""What one call may cost: first the agent is asked to come to an end, then the call is ended for it."""

from decimal import Decimal

from app.call.actions import Action, End, TellModel
from app.call.events import CallEvent, Kind
from app.call.money.spending import as_text
from app.call.status import EndReason
from app.call.turns.flow import CallFlow
from app.conf.models import BudgetConf

WRAP_UP = (
    "This call has lasted long enough. Do not mention this. Start nothing new: finish what you are doing for the "
    "caller, and bring the call to a friendly end."
)
IT_ENDS = (
    "This call ends now. Say in one short, friendly sentence, in the language of this conversation, that you have to "
    "end the call here, and say goodbye. Ask nothing."
)


class Budget:
    """One call's. Each limit is noted once; what has no price counts in neither."""

    def __init__(self, conf: BudgetConf, flow: CallFlow) -> None:
        self._conf = conf
        self._flow = flow
        self._soft_passed = self._hard_passed = False

    def use(self, conf: BudgetConf) -> None:
        """Another agent goes on: its limits hold for the whole call, and the ones before where it has none."""
        self._conf = BudgetConf.model_construct(
            soft_usd=self._conf.soft_usd if conf.soft_usd is None else conf.soft_usd,
            hard_usd=self._conf.hard_usd if conf.hard_usd is None else conf.hard_usd,
        )

    def on_time(self, at_ms: float, *, ready: bool) -> list[Action]:
        """What is due at that moment; before the agent is `ready` there is nobody to say it."""
        if not ready:
            return []
        spent_usd = self._flow.spending.usd(at_ms)
        return self._on_hard(spent_usd, at_ms) or self._on_soft(spent_usd, at_ms)

    def _on_soft(self, spent_usd: Decimal, at_ms: float) -> list[Action]:
        soft_usd = self._conf.soft_usd
        if soft_usd is None or spent_usd < soft_usd or self._soft_passed or self._hard_passed:
            return []
        self._soft_passed = True
        return [_passed(Kind.BUDGET_SOFT, soft_usd, spent_usd, at_ms), TellModel(WRAP_UP, "system", respond=False)]

    def _on_hard(self, spent_usd: Decimal, at_ms: float) -> list[Action]:
        """The goodbye under way is let be; where the caller held it back, the last word is ours."""
        hard_usd = self._conf.hard_usd
        if hard_usd is None or spent_usd < hard_usd:
            return []
        told = [] if self._hard_passed else [_passed(Kind.BUDGET_HARD, hard_usd, spent_usd, at_ms)]
        self._hard_passed = True
        if self._flow.quiet.leaving:
            return [*told]
        words = TellModel(IT_ENDS, "system", lasting=False)
        return [*told, *self._flow.say_last(words, End(EndReason.SPEND_LIMIT), at_ms)]


def _passed(kind: Kind, limit_usd: Decimal, spent_usd: Decimal, at_ms: float) -> CallEvent:
    return CallEvent(kind, int(at_ms), {"limit_usd": str(limit_usd), "spent_usd": as_text(spent_usd)})
