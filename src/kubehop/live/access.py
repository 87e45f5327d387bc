"""The way into a cluster: the official client's TLS, proxy and credentials, ready to ask with."""

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubehop.live import impersonation, kubeconfig
from kubehop.live.kubeconfig import Context, explained, safe
from kubehop.model.errors import ClusterError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_NO_KUBECONFIG = "no kubeconfig found: give input with -f FILE, or set KUBECONFIG or --kubeconfig"


@dataclass(frozen=True, slots=True)
class Access:
    """A server and what every request to it carries.

    `identity` and `host` are for messages: 'context "dev"', and the server without credentials.
    `pool` is the client's urllib3 PoolManager: with it a header can be repeated and no retry,
    redirect or decoding happens that is not ours.
    """

    identity: str
    host: str
    server: str
    headers: Any
    pool: Any

    def close(self) -> None:
        """Close every connection; PoolManager.clear() would leave that to the collector."""
        self.pool.connection_from_url(self.server).close()


def connect(*, context: str | None = None, kubeconfig_file: str | None = None) -> Access:
    """Access to the context, or to the cluster around this pod when there is no kubeconfig.

    Raises ClusterError when the kubeconfig, its credentials or its plugin cannot be used.
    Nothing is sent to the cluster yet.
    """
    found = kubeconfig.load(context, kubeconfig_file)
    if found is None:
        return _in_cluster(context)
    identity = f'context "{found.name}"'
    _refuse_auth_provider(identity, found.user)
    extra = impersonation.headers(found.user)
    with explained(identity):
        return _access(identity, _configuration(found), extra)


def namespace(*, context: str | None = None, kubeconfig_file: str | None = None) -> str:
    """The namespace of the context, of this pod without a kubeconfig, else "default"."""
    found = kubeconfig.load(context, kubeconfig_file)
    if found is not None:
        return found.namespace
    try:
        return (SERVICE_ACCOUNT / "namespace").read_text().strip() or "default"
    except OSError:
        return "default"


def _in_cluster(context: str | None) -> Access:
    token = SERVICE_ACCOUNT / "token"
    if context is not None or "KUBERNETES_SERVICE_HOST" not in os.environ or not token.is_file():
        raise ClusterError(_NO_KUBECONFIG)
    identity = "this pod's service account"
    with explained(identity):
        from kubernetes.client import Configuration
        from kubernetes.config.incluster_config import InClusterConfigLoader

        configuration = Configuration()
        loader: Any = InClusterConfigLoader(  # type: ignore[no-untyped-call]
            token_filename=str(token), cert_filename=str(SERVICE_ACCOUNT / "ca.crt")
        )
        loader.load_and_set(configuration)
        return _access(identity, configuration, ())


def _refuse_auth_provider(identity: str, user: Mapping[str, object]) -> None:
    provider = user.get("auth-provider")
    if provider is None:
        return
    name = provider.get("name") if isinstance(provider, Mapping) else provider
    raise ClusterError(
        f'{identity}: auth-provider "{name}" is not supported (gcp and azure left kubectl in '
        "1.26): use the exec plugin of your provider, like gke-gcloud-auth-plugin or kubelogin"
    )


class _Complaints(logging.Handler):
    """What the official client logs where it should raise: a failed exec plugin."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _configuration(context: Context) -> Any:
    from kubernetes.client import Configuration
    from kubernetes.config.kube_config import KubeConfigLoader

    configuration, complaints = Configuration(), _Complaints()
    logging.root.addHandler(complaints)
    try:
        # With no base path of its own the loader takes relative paths from each entry's file.
        loader: Any = KubeConfigLoader(  # type: ignore[no-untyped-call]
            context.merged, active_context=context.name, config_base_path=None
        )
        loader.load_and_set(configuration)
    finally:
        logging.root.removeHandler(complaints)
    if context.proxy:  # ignored by the official client before 37: it would go direct
        configuration.proxy = context.proxy
    plugin = context.user.get("exec")
    if isinstance(plugin, Mapping) and complaints.messages:
        _plugin_failed(context.name, plugin, complaints.messages[-1])
    return configuration


def _plugin_failed(context: str, plugin: Mapping[str, object], problem: str) -> None:
    hint = f" ({safe(str(plugin['installHint']))})" if plugin.get("installHint") else ""
    raise ClusterError(
        f'context "{context}": exec plugin {plugin.get("command")} failed: {safe(problem)}{hint}'
    )


def _access(identity: str, configuration: Any, extra: Iterable[impersonation.Header]) -> Access:
    import urllib3
    from kubernetes.client import ApiClient

    headers = urllib3.HTTPHeaderDict(
        {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "kubehop"}
    )
    for setting in configuration.auth_settings().values():
        headers[setting["key"]] = _clean(setting["value"])
    for name, value in extra:
        headers.add(name, value)
    if not configuration.verify_ssl:
        # insecure-skip-tls-verify is the user's own word; a warning a request tells nothing new.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    try:
        pool = ApiClient(configuration).rest_client.pool_manager
    except ImportError as error:
        raise ClusterError(f"{identity}: a SOCKS proxy needs the package PySocks") from error
    _refuse_joined_headers(identity, configuration.host, pool, headers)
    host = urllib3.util.parse_url(configuration.host)._replace(auth=None).url
    return Access(identity, host, configuration.host, headers, pool)


def _clean(authorization: str) -> str:
    """Without the newline that a token file ends in and a header must not contain.

    What is wrong beyond that is refused here, because http.client would quote the token.
    """
    scheme, _, credentials = authorization.partition(" ")
    value = f"{scheme} {credentials.strip()}"
    if not (value.isascii() and value.isprintable()):
        raise ValueError("the token has characters that cannot go into a header")
    return value


def _refuse_joined_headers(identity: str, host: str, pool: Any, headers: Any) -> None:
    """urllib3 joins repeated headers for a proxy that it speaks plain HTTP through."""
    repeated = len(list(headers.iteritems())) > len(headers)
    if repeated and pool.proxy and not host.startswith("https:"):
        raise ClusterError(
            f"{identity}: several groups to impersonate cannot be sent through an HTTP proxy "
            "to a server without TLS"
        )
