"""How gunicorn serves the demo identity provider: one small worker on a loopback port."""

from rgapp.config import instance_path
from rgapp.demo.store import DemoStore

bind = f"127.0.0.1:{DemoStore.of(instance_path()).port}"
worker_class = "gthread"
workers = 1
threads = 4
limit_request_line = 8190
forwarded_allow_ips = ""
control_socket_disable = True
# No access log: the queries carry SAML messages.
loglevel = "warning"
