// Command kubernetes is a whole Kubernetes in one binary, for the sandbox.
//
// The first argument, or the name the binary is called by, picks the component:
//
//	kubernetes kube-apiserver --etcd-servers=...
//	ln -s kubernetes kubectl && ./kubectl get pods
//
// One binary instead of seven: the linker keeps one copy of what they share, and the build
// compiles the common packages once.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	// Register what the components' own main packages register.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectlcli "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// components holds one runner a component; each receives os.Args as its own main would.
var components = map[string]func(){
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          apiServer,
	"kube-controller-manager": cobraRunner(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          cobraRunner(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kube-proxy":              cobraRunner(proxy.NewProxyCommand),
	"kubelet": cobraRunner(func() *cobra.Command {
		// It sets its own signals up, in spite of the context it takes.
		return kubelet.NewKubeletCommand(context.Background())
	}),
	"kubectl": kubectl,
}

func main() {
	if run, known := components[filepath.Base(os.Args[0])]; known {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run, known := components[os.Args[1]]; known {
			os.Args = os.Args[1:]
			run()
			return
		}
	}
	names := slices.Sorted(maps.Keys(components))
	fmt.Fprintf(os.Stderr, "usage: %s %s [arguments]\n", os.Args[0], strings.Join(names, "|"))
	os.Exit(2)
}

func cobraRunner(command func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(command())) }
}

func apiServer() {
	forwardInBackground()
	cobraRunner(apiserver.NewAPIServerCommand)()
}

// kubectl ends as kubectl's own main does: errors are kubectl's to print, not cobra's.
func kubectl() {
	if err := cli.RunNoErrOutput(kubectlcli.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
