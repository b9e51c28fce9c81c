"""The settings page of the API key: which one is in use, and how to give or forget one. A stored key is never shown."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.domain.errors import BadInput
from desktop.ui.forms import KeyField, Remark, button, button_row, field_label, label
from desktop.ui.services_api import KeysApi
from desktop.ui.theme import Tokens

NO_KEYRING = "This system has no keyring that can be trusted with the key."


def key_in_use(keys: KeysApi) -> str:
    """Where the key in use comes from, in one or two sentences."""
    match keys.source.name:
        case "TYPED":
            return "In use: the key typed for this run. It is forgotten when Candelabra closes."
        case "ENV_MASSIVE" | "ENV_POLYGON":
            return f"In use: the key of the environment variable {keys.source.value}."
        case "KEYRING":
            return f"In use: the key stored in the keyring ({keys.keyring_name or 'unknown'})."
        case _:
            return "No key is in use."


class KeyPage(QWidget):
    """Entry of a key for this run or into the keyring."""

    def __init__(self, keys: KeysApi, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self._is_waiting = False
        self.state = label("", "state")
        self.state.setAccessibleName("Key in use")
        self.trouble = Remark()
        self.field = KeyField(tokens)
        self.remark = Remark()
        self.save_button = button("&Save to keyring", is_primary=True)
        self.use_button = button("&Use for this run")
        self.forget_button = button("&Forget")
        self._explanation = label("", "quiet")
        self._lay_out()
        self.field.textEdited.connect(lambda _text: self.remark.say(""))
        self.field.returnPressed.connect(self._on_enter)
        self.save_button.clicked.connect(lambda: self._use(remember=True))
        self.use_button.clicked.connect(lambda: self._use(remember=False))
        self.forget_button.clicked.connect(self._forget)
        keys.saved.connect(self._on_saved)
        keys.changed.connect(self._show_state)
        self._show_state()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(label("API key", "heading"))
        layout.addWidget(label("Your key of massive.com (Dashboard → API keys).", "quiet"))
        layout.addWidget(self.state)
        layout.addWidget(self.trouble)
        layout.addSpacing(8)
        layout.addWidget(field_label("&New key", self.field))
        layout.addWidget(self.field)
        layout.addWidget(self.remark)
        layout.addSpacing(4)
        layout.addLayout(button_row(self.save_button, self.use_button, at_the_end=self.forget_button))
        layout.addSpacing(8)
        layout.addWidget(self._explanation)
        layout.addStretch(1)

    def renew(self) -> None:
        """What a reader finds on opening the page: nothing typed, nothing said."""
        self._is_waiting = self._keys.is_busy
        self.field.forget()
        self.remark.say("")
        self._show_state()

    def set_tokens(self, tokens: Tokens) -> None:
        self.field.set_tokens(tokens)

    def _use(self, *, remember: bool) -> None:
        try:
            self._keys.use(self.field.text(), remember=remember)
        except BadInput as error:
            self.remark.say(str(error), "error")
            self.field.setFocus()
            return
        self.field.forget()
        self._wait("Saving the key…" if remember else "Taking the key…")

    def _forget(self) -> None:
        self.field.forget()
        self._keys.forget()
        self._wait("Removing the key…")

    def _on_enter(self) -> None:
        (self.save_button if self.save_button.isEnabled() else self.use_button).click()

    def _wait(self, text: str) -> None:
        if self._keys.is_busy:
            self._is_waiting = True
            self.remark.say(text)
            self._show_state()

    def _on_saved(self, worked: bool, sentence: str) -> None:
        self._is_waiting = False  # the service still counts as busy while it says so
        self.remark.say(sentence, "good" if worked else "error")
        self._show_state()

    def _show_state(self) -> None:
        keyring, is_free = self._keys.keyring_name, not self._is_waiting
        self.state.setText(key_in_use(self._keys))
        sentence = self._keys.sentence
        self.trouble.say(sentence or "", "error")
        self.field.setEnabled(is_free)
        self.use_button.setEnabled(is_free)
        self.save_button.setEnabled(is_free and keyring is not None)
        self.save_button.setToolTip("" if keyring else NO_KEYRING)
        self.forget_button.setEnabled(is_free and (keyring is not None or self._keys.source.name == "TYPED"))
        self.forget_button.setToolTip("Removes the key of this run and the one in the keyring")
        self._explanation.setText(
            (f"Saving puts the key into {keyring}, encrypted, for the next start too. " if keyring else _WITHOUT)
            + "Keys of MASSIVE_API_KEY and POLYGON_API_KEY win over the keyring; "
            "a key typed for this run wins over all of them."
        )


_WITHOUT = f"{NO_KEYRING} The key can be used for this run, or set as an environment variable. "
