"""The store as users get it: the Python API with runs recorded on top, and how to open it."""

from lineage_store.client.addresses import Location
from lineage_store.client.connecting import Pem, open_store
from lineage_store.recording.methods import RecordingMethods
from lineage_store.recording.options import RecordingOptions


class LineageStore(RecordingMethods):
    """Records and reads lineage, in a database of this process or on a server.

    Made by `lineage_store.connect`; safe for many threads; closed by `with` or `close()`. `put_*`
    creates or updates, `get_*` raises NotFound, `find_*` may return None, `list_*` returns a page,
    or everything where a listing is never long, and `iter_*` reads page by page. Every call is one
    transaction: an error leaves nothing behind. `run` records the run of a pipeline, without ever
    being in its way.
    """


def connect(
    url: Location,
    *,
    timeout: float | None = 60.0,
    connect_timeout: float | None = 10.0,
    ca: Pem | None = None,
    key: Pem | None = None,
    certificate: Pem | None = None,
    recording: RecordingOptions | None = None,
) -> LineageStore:
    """Open a store.

    Args:
        url: The path of an SQLite file, which is made if it is missing, or a URL: sqlite:///PATH
            for such a file, sqlite:// for a store in memory, postgresql://USER@HOST/NAME or
            mysql://USER@HOST/NAME for a database that this process works on itself,
            grpc://HOST:PORT for a server, grpcs://HOST:PORT for a server with TLS.
        timeout: Seconds that a call to a server may take; None: no limit.
        connect_timeout: Seconds to wait for a server; None: do not wait, the server may come later.
        ca: The authorities that may vouch for the server; None: the file that LINEAGE_STORE_CA
            names, else those of the system. The three are for grpcs:// alone.
        key: The private key of the client, for a server that asks for one; None: the file that
            LINEAGE_STORE_KEY names, if it does.
        certificate: The certificate chain of the client; None: LINEAGE_STORE_CERT.
        recording: How runs are recorded.

    Example:
        >>> with connect("lineage.db") as store:
        ...     store.list_artifacts()

    Raises:
        InvalidArgument: The URL has another form, or a TLS file can't be read.
        Unavailable: The server does not answer, or the database can't be opened.
        SchemaMismatch: The database was made by another revision of this software.
        NotOurDatabase: The database holds something else.
    """
    store = open_store(
        LineageStore,
        url,
        timeout=timeout,
        connect_timeout=connect_timeout,
        ca=ca,
        key=key,
        certificate=certificate,
    )
    if recording is not None:
        store.set_recording(recording)
    return store
