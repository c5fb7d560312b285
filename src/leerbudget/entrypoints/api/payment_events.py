"""Where payment services tell that something happened."""

from litestar import Controller, Response, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.payments import inbox


class PaymentEventController(Controller):
    """Messages of payment services. They are judged by their signature; nobody logs in here."""

    include_in_schema = False

    @post("/payment-events/{gateway:str}", status_code=200, request_max_body_size=2 * inbox.EVENT_BYTES_MAX)
    async def receive(self, request: HouseRequest, gateway: FromPath[str]) -> Response[None]:
        """Note a message, and answer once it is noted. The worker looks at what it is about."""
        await inbox.receive(request.app.state.gateways, gateway, await request.body(), dict(request.headers))
        return Response(None)
