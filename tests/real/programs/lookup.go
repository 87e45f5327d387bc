// What Go's own resolver gives for a name on the network "ip" or "ip4".
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	start := time.Now()
	found, err := net.DefaultResolver.LookupIP(context.Background(), os.Args[1], os.Args[2])
	fmt.Println(time.Since(start).Round(time.Millisecond), found, err)
}
