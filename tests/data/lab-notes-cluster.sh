set -e
ip netns add outside
ip -n outside link set lo up
mkdir -p /etc/netns/outside
cat >/etc/netns/outside/resolv.conf <<'EOF'
nameserver 203.0.113.53
EOF
cat >/etc/netns/outside/hosts <<'EOF'
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
EOF
cat >/etc/netns/outside/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add fabric
ip -n fabric link set lo up
ip netns add node-0
ip -n node-0 link set lo up
mkdir -p /etc/netns/node-0
cat >/etc/netns/node-0/resolv.conf <<'EOF'
search ca-central-1.compute.internal
nameserver 203.0.113.53
EOF
cat >/etc/netns/node-0/hosts <<'EOF'
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
192.168.0.10	node-0
EOF
cat >/etc/netns/node-0/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add node-1
ip -n node-1 link set lo up
mkdir -p /etc/netns/node-1
cat >/etc/netns/node-1/resolv.conf <<'EOF'
search ca-central-1.compute.internal
nameserver 203.0.113.53
EOF
cat >/etc/netns/node-1/hosts <<'EOF'
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
192.168.0.11	node-1
EOF
cat >/etc/netns/node-1/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add node-2
ip -n node-2 link set lo up
mkdir -p /etc/netns/node-2
cat >/etc/netns/node-2/resolv.conf <<'EOF'
search ca-central-1.compute.internal
nameserver 203.0.113.53
EOF
cat >/etc/netns/node-2/hosts <<'EOF'
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
192.168.0.12	node-2
EOF
cat >/etc/netns/node-2/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add default_busybox
ip -n default_busybox link set lo up
mkdir -p /etc/netns/default_busybox
cat >/etc/netns/default_busybox/resolv.conf <<'EOF'
search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal
nameserver 10.43.0.10
options ndots:5
EOF
cat >/etc/netns/default_busybox/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.0.8	busybox
EOF
cat >/etc/netns/default_busybox/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add default_example-1
ip -n default_example-1 link set lo up
mkdir -p /etc/netns/default_example-1
cat >/etc/netns/default_example-1/resolv.conf <<'EOF'
search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal
nameserver 10.43.0.10
options ndots:5
EOF
cat >/etc/netns/default_example-1/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.1.2	example-1
EOF
cat >/etc/netns/default_example-1/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add default_example-2
ip -n default_example-2 link set lo up
mkdir -p /etc/netns/default_example-2
cat >/etc/netns/default_example-2/resolv.conf <<'EOF'
search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal
nameserver 10.43.0.10
options ndots:5
EOF
cat >/etc/netns/default_example-2/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.2.2	example-2
EOF
cat >/etc/netns/default_example-2/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add default_whoami-1
ip -n default_whoami-1 link set lo up
mkdir -p /etc/netns/default_whoami-1
cat >/etc/netns/default_whoami-1/resolv.conf <<'EOF'
search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal
nameserver 10.43.0.10
options ndots:5
EOF
cat >/etc/netns/default_whoami-1/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.1.3	whoami-1
EOF
cat >/etc/netns/default_whoami-1/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add default_whoami-2
ip -n default_whoami-2 link set lo up
mkdir -p /etc/netns/default_whoami-2
cat >/etc/netns/default_whoami-2/resolv.conf <<'EOF'
search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal
nameserver 10.43.0.10
options ndots:5
EOF
cat >/etc/netns/default_whoami-2/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.2.3	whoami-2
EOF
cat >/etc/netns/default_whoami-2/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add default_whoami-3
ip -n default_whoami-3 link set lo up
mkdir -p /etc/netns/default_whoami-3
cat >/etc/netns/default_whoami-3/resolv.conf <<'EOF'
search default.svc.cluster.local svc.cluster.local cluster.local ca-central-1.compute.internal
nameserver 10.43.0.10
options ndots:5
EOF
cat >/etc/netns/default_whoami-3/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.0.3	whoami-3
EOF
cat >/etc/netns/default_whoami-3/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns add kube-system_coredns
ip -n kube-system_coredns link set lo up
mkdir -p /etc/netns/kube-system_coredns
cat >/etc/netns/kube-system_coredns/resolv.conf <<'EOF'
search ca-central-1.compute.internal
nameserver 203.0.113.53
EOF
cat >/etc/netns/kube-system_coredns/hosts <<'EOF'
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.42.0.2	coredns
EOF
cat >/etc/netns/kube-system_coredns/nsswitch.conf <<'EOF'
hosts: files dns
EOF
ip netns exec outside sysctl -qw net.ipv4.ip_nonlocal_bind=1
ip netns exec outside sysctl -qw net.ipv4.icmp_ratemask=0
ip netns exec fabric sysctl -qw net.ipv4.conf.default.rp_filter=0
ip netns exec fabric sysctl -qw net.ipv4.conf.all.rp_filter=0
ip netns exec fabric sysctl -qw net.ipv4.conf.default.send_redirects=0
ip netns exec fabric sysctl -qw net.ipv4.conf.all.send_redirects=0
ip netns exec fabric sysctl -qw net.ipv4.ip_forward=1
ip netns exec fabric sysctl -qw net.ipv4.icmp_ratemask=0
ip netns exec node-0 sysctl -qw net.ipv4.conf.default.rp_filter=0
ip netns exec node-0 sysctl -qw net.ipv4.conf.all.rp_filter=0
ip netns exec node-0 sysctl -qw net.ipv4.conf.default.send_redirects=0
ip netns exec node-0 sysctl -qw net.ipv4.conf.all.send_redirects=0
ip netns exec node-0 sysctl -qw net.ipv4.ip_forward=1
ip netns exec node-0 sysctl -qw net.ipv4.icmp_ratemask=0
ip netns exec node-0 sysctl -qw net.ipv4.conf.all.route_localnet=0
ip netns exec node-1 sysctl -qw net.ipv4.conf.default.rp_filter=0
ip netns exec node-1 sysctl -qw net.ipv4.conf.all.rp_filter=0
ip netns exec node-1 sysctl -qw net.ipv4.conf.default.send_redirects=0
ip netns exec node-1 sysctl -qw net.ipv4.conf.all.send_redirects=0
ip netns exec node-1 sysctl -qw net.ipv4.ip_forward=1
ip netns exec node-1 sysctl -qw net.ipv4.icmp_ratemask=0
ip netns exec node-1 sysctl -qw net.ipv4.conf.all.route_localnet=0
ip netns exec node-2 sysctl -qw net.ipv4.conf.default.rp_filter=0
ip netns exec node-2 sysctl -qw net.ipv4.conf.all.rp_filter=0
ip netns exec node-2 sysctl -qw net.ipv4.conf.default.send_redirects=0
ip netns exec node-2 sysctl -qw net.ipv4.conf.all.send_redirects=0
ip netns exec node-2 sysctl -qw net.ipv4.ip_forward=1
ip netns exec node-2 sysctl -qw net.ipv4.icmp_ratemask=0
ip netns exec node-2 sysctl -qw net.ipv4.conf.all.route_localnet=0
ip -n fabric link add outside address ee:ee:ee:ee:ee:ee mtu 1500 type veth peer name eth0 address 02:00:cb:00:71:09 mtu 1500 netns outside
ip -n fabric link set outside up
ip -n outside link set eth0 up
ip -n fabric link add node-0 address ee:ee:ee:ee:ee:ee mtu 1500 type veth peer name eth0 address 02:28:8b:89:25:19 mtu 1500 netns node-0
ip -n fabric link set node-0 up
ip -n node-0 link set eth0 up
ip -n fabric link add node-1 address ee:ee:ee:ee:ee:ee mtu 1500 type veth peer name eth0 address 02:4f:0f:d7:c4:bb mtu 1500 netns node-1
ip -n fabric link set node-1 up
ip -n node-1 link set eth0 up
ip -n fabric link add node-2 address ee:ee:ee:ee:ee:ee mtu 1500 type veth peer name eth0 address 02:27:cb:bf:0d:d5 mtu 1500 netns node-2
ip -n fabric link set node-2 up
ip -n node-2 link set eth0 up
ip -n node-0 link add cali12d4a061371 address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:b6:c9:a4:73:65 mtu 1450 netns default_busybox
ip -n node-0 link set cali12d4a061371 up
ip -n default_busybox link set eth0 up
ip -n node-1 link add cali7168411da83 address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:5a:5a:c6:db:78 mtu 1450 netns default_example-1
ip -n node-1 link set cali7168411da83 up
ip -n default_example-1 link set eth0 up
ip -n node-2 link add calib6788e7655a address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:3b:66:92:4d:42 mtu 1450 netns default_example-2
ip -n node-2 link set calib6788e7655a up
ip -n default_example-2 link set eth0 up
ip -n node-1 link add cali9264334076f address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:7d:d3:15:c2:cd mtu 1450 netns default_whoami-1
ip -n node-1 link set cali9264334076f up
ip -n default_whoami-1 link set eth0 up
ip -n node-2 link add cali5a83c2d91f8 address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:11:bb:65:c1:69 mtu 1450 netns default_whoami-2
ip -n node-2 link set cali5a83c2d91f8 up
ip -n default_whoami-2 link set eth0 up
ip -n node-0 link add calid20fe4c801c address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:07:25:ec:e9:94 mtu 1450 netns default_whoami-3
ip -n node-0 link set calid20fe4c801c up
ip -n default_whoami-3 link set eth0 up
ip -n node-0 link add cali96971f43451 address ee:ee:ee:ee:ee:ee mtu 1450 type veth peer name eth0 address 02:6d:62:d7:8a:e7 mtu 1450 netns kube-system_coredns
ip -n node-0 link set cali96971f43451 up
ip -n kube-system_coredns link set eth0 up
ip -n node-0 link add flannel.1 address 02:f2:8b:7f:c6:5c mtu 1450 type vxlan id 1 local 192.168.0.10 dstport 8472 nolearning
ip -n node-0 link set flannel.1 up
ip -n node-1 link add flannel.1 address 02:1d:f6:e9:28:dc mtu 1450 type vxlan id 1 local 192.168.0.11 dstport 8472 nolearning
ip -n node-1 link set flannel.1 up
ip -n node-2 link add flannel.1 address 02:bc:93:a0:ad:53 mtu 1450 type vxlan id 1 local 192.168.0.12 dstport 8472 nolearning
ip -n node-2 link set flannel.1 up
ip -n outside addr add 203.0.113.9/32 dev eth0
ip -n fabric addr add 203.0.113.1/32 dev lo
ip -n node-0 addr add 192.168.0.10/32 dev eth0
ip -n node-1 addr add 192.168.0.11/32 dev eth0
ip -n node-2 addr add 192.168.0.12/32 dev eth0
ip -n default_busybox addr add 10.42.0.8/32 dev eth0
ip -n default_example-1 addr add 10.42.1.2/32 dev eth0
ip -n default_example-2 addr add 10.42.2.2/32 dev eth0
ip -n default_whoami-1 addr add 10.42.1.3/32 dev eth0
ip -n default_whoami-2 addr add 10.42.2.3/32 dev eth0
ip -n default_whoami-3 addr add 10.42.0.3/32 dev eth0
ip -n kube-system_coredns addr add 10.42.0.2/32 dev eth0
ip -n node-0 addr add 10.42.0.0/32 dev flannel.1
ip -n node-1 addr add 10.42.1.0/32 dev flannel.1
ip -n node-2 addr add 10.42.2.0/32 dev flannel.1
ip -n outside neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n fabric neigh add 169.254.1.2 dev outside lladdr 02:00:cb:00:71:09 nud permanent
ip -n fabric neigh add 169.254.1.2 dev node-0 lladdr 02:28:8b:89:25:19 nud permanent
ip -n fabric neigh add 169.254.1.2 dev node-1 lladdr 02:4f:0f:d7:c4:bb nud permanent
ip -n fabric neigh add 169.254.1.2 dev node-2 lladdr 02:27:cb:bf:0d:d5 nud permanent
ip -n node-0 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-1 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-2 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n default_busybox neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-0 neigh add 10.42.0.8 dev cali12d4a061371 lladdr 02:b6:c9:a4:73:65 nud permanent
ip -n default_example-1 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-1 neigh add 10.42.1.2 dev cali7168411da83 lladdr 02:5a:5a:c6:db:78 nud permanent
ip -n default_example-2 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-2 neigh add 10.42.2.2 dev calib6788e7655a lladdr 02:3b:66:92:4d:42 nud permanent
ip -n default_whoami-1 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-1 neigh add 10.42.1.3 dev cali9264334076f lladdr 02:7d:d3:15:c2:cd nud permanent
ip -n default_whoami-2 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-2 neigh add 10.42.2.3 dev cali5a83c2d91f8 lladdr 02:11:bb:65:c1:69 nud permanent
ip -n default_whoami-3 neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-0 neigh add 10.42.0.3 dev calid20fe4c801c lladdr 02:07:25:ec:e9:94 nud permanent
ip -n kube-system_coredns neigh add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
ip -n node-0 neigh add 10.42.0.2 dev cali96971f43451 lladdr 02:6d:62:d7:8a:e7 nud permanent
ip -n node-0 neigh add 10.42.1.0 dev flannel.1 lladdr 02:1d:f6:e9:28:dc nud permanent
ip -n node-0 neigh add 10.42.2.0 dev flannel.1 lladdr 02:bc:93:a0:ad:53 nud permanent
ip -n node-1 neigh add 10.42.0.0 dev flannel.1 lladdr 02:f2:8b:7f:c6:5c nud permanent
ip -n node-1 neigh add 10.42.2.0 dev flannel.1 lladdr 02:bc:93:a0:ad:53 nud permanent
ip -n node-2 neigh add 10.42.0.0 dev flannel.1 lladdr 02:f2:8b:7f:c6:5c nud permanent
ip -n node-2 neigh add 10.42.1.0 dev flannel.1 lladdr 02:1d:f6:e9:28:dc nud permanent
bridge -n node-0 fdb add 02:1d:f6:e9:28:dc dev flannel.1 dst 192.168.0.11 permanent
bridge -n node-0 fdb add 02:bc:93:a0:ad:53 dev flannel.1 dst 192.168.0.12 permanent
bridge -n node-1 fdb add 02:f2:8b:7f:c6:5c dev flannel.1 dst 192.168.0.10 permanent
bridge -n node-1 fdb add 02:bc:93:a0:ad:53 dev flannel.1 dst 192.168.0.12 permanent
bridge -n node-2 fdb add 02:f2:8b:7f:c6:5c dev flannel.1 dst 192.168.0.10 permanent
bridge -n node-2 fdb add 02:1d:f6:e9:28:dc dev flannel.1 dst 192.168.0.11 permanent
ip -n outside route add 169.254.1.1/32 dev eth0 table 255
ip -n outside route add 203.0.113.1/32 via 169.254.1.1 dev eth0 onlink table 255
ip -n outside route add 192.168.0.10/32 via 169.254.1.1 dev eth0 onlink table 255
ip -n outside route add 192.168.0.11/32 via 169.254.1.1 dev eth0 onlink table 255
ip -n outside route add 192.168.0.12/32 via 169.254.1.1 dev eth0 onlink table 255
ip -n outside route add 192.168.226.188/32 via 169.254.1.1 dev eth0 onlink table 255
ip -n outside route add unreachable 10.43.0.0/16 table 255
ip -n outside route add unreachable 10.42.0.0/24 table 255
ip -n outside route add unreachable 10.42.1.0/24 table 255
ip -n outside route add unreachable 10.42.2.0/24 table 255
ip -n outside route add local default dev lo table 255
ip -n fabric route add default via 169.254.1.2 dev outside onlink
ip -n fabric route add 192.168.0.10/32 via 169.254.1.2 dev node-0 onlink
ip -n fabric route add 192.168.0.11/32 via 169.254.1.2 dev node-1 onlink
ip -n fabric route add 192.168.0.12/32 via 169.254.1.2 dev node-2 onlink
ip -n fabric route add unreachable 192.168.226.188/32
ip -n fabric route add unreachable 10.43.0.0/16
ip -n fabric route add unreachable 10.42.0.0/24
ip -n fabric route add unreachable 10.42.1.0/24
ip -n fabric route add unreachable 10.42.2.0/24
ip -n fabric route add default via 169.254.1.2 dev node-0 onlink table 340145
ip -n fabric route add default via 169.254.1.2 dev node-1 onlink table 139335
ip -n fabric route add default via 169.254.1.2 dev node-2 onlink table 741837
ip -n default_busybox route add default via 169.254.1.1 dev eth0 onlink
ip -n node-0 route add 10.42.0.8/32 dev cali12d4a061371
ip -n default_example-1 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-1 route add 10.42.1.2/32 dev cali7168411da83
ip -n default_example-2 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-2 route add 10.42.2.2/32 dev calib6788e7655a
ip -n default_whoami-1 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-1 route add 10.42.1.3/32 dev cali9264334076f
ip -n default_whoami-2 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-2 route add 10.42.2.3/32 dev cali5a83c2d91f8
ip -n default_whoami-3 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-0 route add 10.42.0.3/32 dev calid20fe4c801c
ip -n kube-system_coredns route add default via 169.254.1.1 dev eth0 onlink
ip -n node-0 route add 10.42.0.2/32 dev cali96971f43451
ip -n node-0 route add 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink
ip -n node-0 route add 10.42.2.0/24 via 10.42.2.0 dev flannel.1 onlink
ip -n node-1 route add 10.42.0.0/24 via 10.42.0.0 dev flannel.1 onlink
ip -n node-1 route add 10.42.2.0/24 via 10.42.2.0 dev flannel.1 onlink
ip -n node-2 route add 10.42.0.0/24 via 10.42.0.0 dev flannel.1 onlink
ip -n node-2 route add 10.42.1.0/24 via 10.42.1.0 dev flannel.1 onlink
ip -n node-0 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-0 route add unreachable 10.42.0.0/24
ip -n node-1 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-1 route add unreachable 10.42.1.0/24
ip -n node-2 route add default via 169.254.1.1 dev eth0 onlink
ip -n node-2 route add unreachable 10.42.2.0/24
ip -n fabric rule add priority 1000 fwmark 0x52cc9 lookup 340145
ip -n fabric rule add priority 1000 fwmark 0x21c5f lookup 139335
ip -n fabric rule add priority 1000 fwmark 0xb4de5 lookup 741837
