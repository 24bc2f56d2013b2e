"""A visitor without a browser: speaks Streamlit's own protocol over its web socket.

Holds a session as a browser does: cookies, widget values, fragments that run by themselves,
uploads through the upload route. It draws nothing, so twenty of them leave the processors to
the server that is measured. Written against Streamlit 1.67.
"""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import threading
import time
import urllib.request
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.proto.Element_pb2 import Element
    from streamlit.proto.WidgetStates_pb2 import WidgetState

XSRF = "_streamlit_xsrf"


class Visitor:
    """One session. What it was shown is in `seen`, all of it, also what is gone from the page."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).netloc
        self._cookies = _cookies_of(url)
        self._changed = threading.Condition()
        self._fragments: dict[str, tuple[float, float]] = {}  # id: seconds between runs, next run
        self._page_hash = self._query = self._session = ""
        self._chat_box: Element | None = None
        self._uploader = ""
        self._upload_urls: dict[str, str] = {}
        self.seen: list[str] = []
        self.times: list[float] = []  # of each, on the clock of `time.perf_counter`
        self.faults: list[str] = []
        self.runs = 0
        self._closing = False
        self._socket = connect(
            f"ws://{self._host}/_stcore/stream",
            subprotocols=["streamlit", self._cookies[XSRF]],  # type: ignore[list-item]
            additional_headers={
                "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            },
            origin=url,  # type: ignore[arg-type]
            max_size=None,
        )
        for work in (self._listen, self._run_fragments):
            threading.Thread(target=work, daemon=True).start()
        self._rerun()

    def close(self) -> None:
        """Leave, as a closed tab does."""
        self._closing = True
        self._socket.close()

    def wait(self, holds: Callable[[], bool], what: str, limit_s: float) -> float:
        """Wait until something is so; returns the seconds.

        Raises:
            TimeoutError: It is not so in time.
        """
        started = time.perf_counter()
        with self._changed:
            if not self._changed.wait_for(holds, limit_s):
                message = f"not within {limit_s} s: {what}"
                raise TimeoutError(message)
        return time.perf_counter() - started

    def can_ask(self) -> bool:
        """Whether the chat box is open."""
        return self._chat_box is not None and not self._chat_box.chat_input.disabled

    def has_seen(self, words: str, since: int = 0) -> bool:
        """Whether words were shown, from the n-th text on."""
        return any(words in text for text in self.seen[since:])

    def place_of(self, words: str, since: int = 0) -> int:
        """Which text was the first to hold words, from the n-th on."""
        return next(n for n, text in enumerate(self.seen) if n >= since and words in text)

    def ask(self, question: str) -> None:
        """Put a question into the chat box and press Enter."""
        if self._chat_box is None:
            message = "there is no chat box"
            raise RuntimeError(message)
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = self._chat_box.chat_input.id
        state.chat_input_value.data = question
        self._send(message)

    def upload(self, name: str, data: bytes, limit_s: float) -> None:
        """Give a file to the drop zone."""
        request = BackMsg()
        request.file_urls_request.request_id = name
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self._session
        self._send(request)
        self.wait(lambda: name in self._upload_urls, f"an address for {name}", limit_s)
        file_id = self._upload_urls[name].rsplit("/", 1)[-1]
        self._put(self._upload_urls[name], name, data)
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id = self._uploader
        _fill(state, name, len(data), file_id, self._upload_urls[name])
        self._send(message)

    def _put(self, path: str, name: str, data: bytes) -> None:
        border = uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"'
        body = f"{head}\r\n\r\n".encode() + data + f"\r\n--{border}--\r\n".encode()
        connection = http.client.HTTPConnection(self._host, timeout=60)
        connection.request(
            "PUT",
            path,
            body,
            {
                "Content-Type": f"multipart/form-data; boundary={border}",
                "X-Xsrftoken": self._cookies[XSRF],
                "Cookie": "; ".join(f"{key}={value}" for key, value in self._cookies.items()),
            },
        )
        status = connection.getresponse().status
        connection.close()
        if status not in (200, 204):
            self.faults.append(f"upload of {name}: {status}")

    def _rerun(self, fragment: str = "") -> None:
        message = BackMsg()
        message.rerun_script.SetInParent()
        if fragment:
            message.rerun_script.fragment_id = fragment
            message.rerun_script.is_auto_rerun = True
        self._send(message)

    def _send(self, message: BackMsg) -> None:
        state = message.rerun_script
        if message.WhichOneof("type") == "rerun_script":
            state.query_string, state.page_script_hash = self._query, self._page_hash
        try:
            self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            self._note_close(error)

    def _listen(self) -> None:
        try:
            for data in self._socket:
                message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        except ConnectionClosed as error:
            self._note_close(error)

    def _note_close(self, error: ConnectionClosed) -> None:
        if not self._closing:
            self.faults.append(f"socket closed: {error}")

    def _run_fragments(self) -> None:
        while not self._closing:
            time.sleep(0.05)
            now = time.monotonic()
            with self._changed:
                due = [id_ for id_, (_, at) in self._fragments.items() if at <= now]
                for id_ in due:
                    interval = self._fragments[id_][0]
                    self._fragments[id_] = (interval, now + interval)
            for id_ in due:
                self._rerun(id_)

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self._session = message.new_session.initialize.session_id or self._session
                self._page_hash = message.new_session.page_script_hash
                if not message.metadata.run.fragment_ids:
                    self._fragments.clear()
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "auto_rerun" | "stop_auto_rerun":
                self._take_timer(message)
            case "file_urls_response":
                for one in message.file_urls_response.file_urls:
                    self._upload_urls[message.file_urls_response.response_id] = one.upload_url
            case "script_finished":
                self.runs += 1
            case "delta":
                self._take_element(message.delta.new_element)

    def _take_timer(self, message: ForwardMsg) -> None:
        for fragment in message.stop_auto_rerun.fragment_ids:
            self._fragments.pop(fragment, None)
        if message.HasField("auto_rerun"):
            every = message.auto_rerun.interval
            self._fragments[message.auto_rerun.fragment_id] = (every, time.monotonic() + every)

    def _take_element(self, element: Element) -> None:
        match element.WhichOneof("type"):
            case "html":
                self._see(element.html.body)
            case "markdown":
                self._see(element.markdown.body)
            case "button":
                self._see(element.button.label)
            case "exception":
                self.faults.append(element.exception.message)
            case "chat_input":
                self._chat_box = element
            case "file_uploader":
                if not element.file_uploader.accept_directory:
                    self._uploader = element.file_uploader.id

    def _see(self, text: str) -> None:
        self.seen.append(text)
        self.times.append(time.perf_counter())


def _fill(state: WidgetState, name: str, size: int, file_id: str, url: str) -> None:
    info = state.file_uploader_state_value.uploaded_file_info.add()
    info.name, info.size, info.file_id = name, size, file_id
    info.file_urls.file_id = file_id
    info.file_urls.upload_url = info.file_urls.delete_url = url


def _cookies_of(url: str) -> dict[str, str]:
    """Those that a browser has after loading the page: ours, and Streamlit's against forgery."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    for path in ("/", "/_stcore/health", "/_stcore/host-config"):
        with opener.open(f"{url}{path}", timeout=30) as response:
            body = response.read()
    json.loads(body)
    return {cookie.name: cookie.value or "" for cookie in jar}
