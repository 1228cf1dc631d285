// Command app is the sandbox's sample application: a web service whose environment decides how it
// behaves. Without any it is healthy.
//
//	PORT=8080           where it listens
//	VERSION=v2          the text shown at / and /version
//	HEALTH_PATH=/livez  where it tells its health (default /healthz); any other path is a 404
//	HEALTH_STATUS=503   what it answers there: rolled out, Ready, and yet not recovered
//	UNHEALTHY_AFTER=30s healthy until then; from then on HEALTH_STATUS, or 503
//	READY=never         /ready answers 503 for ever
//	SLOW_START=20s      listens only after that long
//	CRASH=3             exits with this code, after CRASH_AFTER (default at once)
//	REQUIRE_ENV=NAME    exits with code 3 unless that variable is set
//	TERM_DELAY=5s       exits that long after SIGTERM, still answering
//	ALLOCATE_MB=200     holds that much memory
//	REQUESTS_PER_SECOND=20  /metrics counts that many requests a second that nobody sent
//	ERROR_RATE=0.5      and this share of them with code 500, the others with 200
//	FILL=/v/full        writes FILL_MB of zeros to that file
//
// Called with the argument "pause" it only waits for SIGTERM: the image of a Pod's sandbox. With
// "targets" it runs beside the cluster and tells Prometheus which Pods to ask for /metrics: those
// annotated prometheus.io/scrape and prometheus.io/port.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM, syscall.SIGINT)
	if len(os.Args) > 1 && os.Args[1] == "pause" {
		<-terminated
		return
	}
	if len(os.Args) == 5 && os.Args[1] == "targets" {
		go serveTargets(os.Args[2], os.Args[3], os.Args[4])
		<-terminated
		return
	}
	log.SetFlags(log.LstdFlags | log.LUTC)
	version := text("VERSION", "unset")
	log.Printf("version %s starts", version)

	requireEnvironment()
	crashLater()
	memory := allocate(number("ALLOCATE_MB", 0))
	fill(os.Getenv("FILL"), number("FILL_MB", 0))
	go serve(version)

	<-terminated
	delay := duration("TERM_DELAY", 0)
	log.Printf("SIGTERM: exit in %s, holding %d MB", delay, len(memory)>>20)
	time.Sleep(delay)
}

func requireEnvironment() {
	name, required := os.LookupEnv("REQUIRE_ENV")
	if _, set := os.LookupEnv(name); required && !set {
		log.Printf("required environment variable %s is not set", name)
		os.Exit(3)
	}
}

func crashLater() {
	if os.Getenv("CRASH") == "" {
		return
	}
	code, after := number("CRASH", 1), duration("CRASH_AFTER", 0)
	crash := func() {
		log.Printf("crash with exit code %d", code)
		os.Exit(code)
	}
	if after == 0 {
		crash()
	}
	time.AfterFunc(after, crash)
}

// allocate writes to every page: memory that was never touched is not counted by the kernel.
func allocate(megabytes int) []byte {
	memory := make([]byte, megabytes<<20)
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	return memory
}

func fill(file string, megabytes int) {
	if file == "" {
		return
	}
	if err := os.WriteFile(file, make([]byte, megabytes<<20), 0o600); err != nil {
		log.Printf("cannot fill %s: %v", file, err)
		os.Exit(2)
	}
}

func serve(version string) {
	time.Sleep(duration("SLOW_START", 0))
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, version) }
	mux.HandleFunc("/{$}", show)
	mux.HandleFunc("/version", show)
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		status := http.StatusOK
		if os.Getenv("READY") == "never" {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, version)
	})
	mux.HandleFunc("/metrics", metrics(time.Now()))
	health := healthStatus(time.Now())
	mux.HandleFunc(text("HEALTH_PATH", "/healthz"), func(w http.ResponseWriter, _ *http.Request) {
		answer(w, health(), version)
	})
	address := net.JoinHostPort("", text("PORT", "8080"))
	log.Printf("version %s listens on %s", version, address)
	log.Fatal(http.ListenAndServe(address, mux))
}

func healthStatus(started time.Time) func() int {
	after := duration("UNHEALTHY_AFTER", 0)
	unhealthy := http.StatusOK
	if after > 0 {
		unhealthy = http.StatusServiceUnavailable
	}
	unhealthy = number("HEALTH_STATUS", unhealthy)
	return func() int {
		if time.Since(started) < after {
			return http.StatusOK
		}
		return unhealthy
	}
}

// metrics speaks Prometheus' text format. Its requests are made up from the time that has passed: a
// test needs traffic, and no clients. Both counters are there from the beginning, at 0.
func metrics(started time.Time) http.HandlerFunc {
	pace, share := fraction("REQUESTS_PER_SECOND"), fraction("ERROR_RATE")
	return func(w http.ResponseWriter, _ *http.Request) {
		requests := pace * time.Since(started).Seconds()
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, "# TYPE http_requests_total counter\n")
		fmt.Fprintf(w, "http_requests_total{code=\"200\"} %.2f\n", requests*(1-share))
		fmt.Fprintf(w, "http_requests_total{code=\"500\"} %.2f\n", requests*share)
	}
}

func answer(w http.ResponseWriter, status int, version string) {
	w.Header().Set("Content-Type", "application/json")
	if status >= 300 && status < 400 {
		w.Header().Set("Location", "/version")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"version": version, "status": status})
}

func text(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func number(name string, otherwise int) int {
	value, err := strconv.Atoi(text(name, strconv.Itoa(otherwise)))
	if err != nil {
		misconfigured(name, err)
	}
	return value
}

func fraction(name string) float64 {
	value, err := strconv.ParseFloat(text(name, "0"), 64)
	if err != nil {
		misconfigured(name, err)
	}
	return value
}

func duration(name string, otherwise time.Duration) time.Duration {
	value, err := time.ParseDuration(text(name, otherwise.String()))
	if err != nil {
		misconfigured(name, err)
	}
	return value
}

// misconfigured ends the program: a behaviour silently not shown would make a test pass wrongly.
func misconfigured(name string, err error) {
	fmt.Fprintf(os.Stderr, "environment variable %s: %v\n", name, err)
	os.Exit(2)
}
