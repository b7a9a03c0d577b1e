"""How allauth's second factors behave here; the setting MFA_ADAPTER names the class."""

from typing import Any

import qrcode
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from markupsafe import Markup

from accounts.factors import keys

QR_BORDER = 2  # squares of white, which cameras need around the code
WRONG_CODE = "This code is not right. Type the one that the app shows now, or a recovery code that was not used yet."


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps secrets encrypted, and draws and names things as the desk does."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": WRONG_CODE}

    def encrypt(self, text: str) -> str:
        """What is stored of a secret."""
        return keys.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret that was stored."""
        return keys.decrypt(encrypted_text)

    def get_totp_label(self, user: Any) -> str:
        """What the app calls the account: the name that signs in."""
        return str(user.username)

    def build_totp_svg(self, url: str) -> str:
        """The QR code as markup that a strict policy allows: black on white in both themes, because cameras need it."""
        code = qrcode.QRCode(border=QR_BORDER)
        code.add_data(url)
        squares = code.get_matrix()
        side = len(squares)
        dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(squares) for x, is_dark in enumerate(row) if is_dark)
        return Markup(
            '<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="QR code for your authenticator app" '
            'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/>'
            '<path fill="#000" d="{dark}"/></svg>'
        ).format(side=side, dark=dark)

    def generate_authenticator_name(self, user: Any, type: str) -> str:
        """What a passkey is called until its owner names it."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The desk as passkeys know it: by its host, so that they answer to no other site."""
        return {**super().get_public_key_credential_rp_entity(), "name": "Order Desk"}
