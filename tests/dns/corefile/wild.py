"""Corefiles as distributions write them, and as their users change them."""

KUBERNETES = """\
kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }"""

ANY, SVC = r"(^(?:[^\.]+\.)+)", r"svc\.cluster\.local"
KUBEADM_OLD = """\
.:53 {
    errors
    health
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        upstream
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
"""
KUBEADM_OLDEST = KUBEADM_OLD.replace("forward .", "proxy .").replace("        upstream\n", "")

NODE_LOCAL = """\
cluster.local:53 {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
    prometheus :9253
    health 169.254.20.10:8080
}
in-addr.arpa:53 {
    errors
    cache 30
    bind 169.254.20.10 10.96.0.10
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
}
ip6.arpa:53 {
    errors
    cache 30
    bind 169.254.20.10 10.96.0.10
    forward . __PILLAR__CLUSTER__DNS__ {
        force_tcp
    }
}
.:53 {
    errors
    cache 30
    bind 169.254.20.10 10.96.0.10
    forward . __PILLAR__UPSTREAM__SERVERS__
    prometheus :9253
}
"""

WILD = {
    "kubeadm 1.18": f"""\
.:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    {KUBERNETES}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30
    loop
    reload
    loadbalance
}}
""",
    "kind": f"""\
.:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    {KUBERNETES}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30 {{
       disable success cluster.local
       disable denial cluster.local
    }}
    loop
    reload
    loadbalance
}}
""",
    "minikube": f"""\
.:53 {{
    log
    errors
    health {{
       lameduck 5s
    }}
    ready
    {KUBERNETES}
    prometheus :9153
    hosts {{
       192.168.49.1 host.minikube.internal
       fallthrough
    }}
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30 {{
       disable success cluster.local
       disable denial cluster.local
    }}
    loop
    reload
    loadbalance
}}
""",
    "k3s": """\
.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    prometheus :9153
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
    forward . /etc/resolv.conf
}
import /etc/coredns/custom/*.server
""",
    "RKE1": """\
.:53 {
    errors
    health {
      lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . "/etc/resolv.conf"
    cache 30
    loop
    reload
    loadbalance
} # STUBDOMAINS - Rancher specific change
""",
    "RKE2": """\
.:53 {
    errors
    health  {
        lameduck 10s
    }
    ready
    kubernetes   cluster.local  cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus   0.0.0.0:9153
    forward   . /etc/resolv.conf
    cache   30
    loop
    reload
    loadbalance
}
""",
    "EKS": """\
.:53 {
    errors
    health {
        lameduck 5s
      }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
""",
    "AKS": f"""\
.:53 {{
    errors
    ready
    health {{
      lameduck 5s
    }}
    {KUBERNETES}
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
    template ANY ANY internal.cloudapp.net {{
      match "^(?:[^.]+\\.){{4,}}internal\\.cloudapp\\.net\\.$"
      rcode NXDOMAIN
      fallthrough
    }}
    template ANY ANY reddog.microsoft.com {{
      rcode NXDOMAIN
    }}
}}
import custom/*.server
""",
    "DigitalOcean": f"""\
.:53 {{
    errors
    health
    ready
    {KUBERNETES}
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import custom/*.override
}}
import custom/*.server
""",
    "OVH": f"""\
.:53 {{
    log
    errors
    {KUBERNETES}
    prometheus :9153
    forward . /etc/resolv.conf {{
      prefer_udp
      policy sequential
    }}
    cache 30
    import custom/*.include
}}
import custom/*.server
""",
    "Gardener": f"""\
.:8053 {{
  health {{
      lameduck 15s
  }}
  ready
  rewrite stop {{
    name regex {ANY}{SVC}\\.{SVC} {{1}}svc.cluster.local
    answer name {ANY}{SVC} {{1}}svc.cluster.local.svc.cluster.local
    answer value {ANY}{SVC} {{1}}svc.cluster.local.svc.cluster.local
  }}
  {KUBERNETES}
  prometheus :9153
  import custom/*.override
  errors
  log . {{
      class error
  }}
  forward . /etc/resolv.conf
  loop
  reload
  loadbalance round_robin
  cache 30
}}
import custom/*.server
""",
    "OpenShift": """\
# custom
corp.example:5353 {
    prometheus 127.0.0.1:9153
    forward . tls://10.0.0.53 10.0.0.54:5353 {
        tls_servername dns.corp.example
        tls /etc/pki/dns.corp.example-1/ca-bundle.crt
        policy random
    }
    errors
    log . {
        class error
    }
    bufsize 1232
    cache 900 {
        denial 9984 30
    }
}
.:5353 {
    bufsize 1232
    errors
    log . {
        class error
    }
    health {
        lameduck 20s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
    }
    prometheus 127.0.0.1:9153
    forward . /etc/resolv.conf {
        policy sequential
    }
    cache 900 {
        denial 9984 30
    }
    reload
}
hostname.bind:5353 {
    chaos
}
""",
    "node-local-dns": NODE_LOCAL.replace("__PILLAR__CLUSTER__DNS__", "10.96.0.11").replace(
        "__PILLAR__UPSTREAM__SERVERS__", "/etc/resolv.conf"
    ),
    "with stub domains": f"""\
.:53 {{
    errors
    {KUBERNETES}
    forward . 8.8.8.8 8.8.4.4
}}
consul:53 {{
    errors
    cache 30
    forward . 10.150.0.1
}}
global:53 example.org:53 {{
    errors
    cache 30
    forward . 10.96.0.53:53 {{
       force_tcp
       except deep.global
    }}
}}
tls://.:853 {{
    tls cert.pem key.pem ca.pem
    forward . tls://9.9.9.9 {{
       tls_servername dns.quad9.net
       health_check 5s
    }}
}}
""",
    "with snippets": f"""\
(common) {{
    errors
    cache 30
    log . {{
        class denial error
    }}
}}
cluster.local {{
    import common
    {KUBERNETES}
    autopath @kubernetes
}}
. {{
    import common
    acl {{
        block net 10.9.0.0/16
    }}
    forward . /etc/resolv.conf
}}
""",
}
"""By who writes it."""
