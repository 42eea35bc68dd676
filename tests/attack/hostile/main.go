// Command hostile stands where a session's runner should and does what a tenant could do with an image of its own.
//
// It knows the session and the pod as a real runner does, by its environment, so its answers pass every check but the
// one that they are made to break. Which one that is stands in LINK_MAX_ROUNDS, a field of the session that its owner
// sets and the operator hands over: see `behaviours`. Probes are always answered well, so that it lives.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	longest  = 4096 // characters of a message, the most that the protocol lets through
	lifetime = 10 * time.Minute
)

// Nothing of these may be seen anywhere outside of this program: they stand for what a runner could let slip.
const (
	secrets  = "http://x/?token=5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e7beef Basic cGxhbnRlZDpzZWNyZXQ= 0171/5550199 49.171.555.01.99"
	terminal = "\x1b]52;c;cGxhbnRlZA==\x07\x1b[2J\u009b2J\u202e"
)

var revision uint64

// behaviours are by LINK_MAX_ROUNDS.
var behaviours = map[string]func(net.Conn){
	"101": func(connection net.Conn) {
		answer(connection, state("Connected", strings.Repeat("#", longest-20)+unique()))
	},
	"102": func(connection net.Conn) { forever(connection, "", "HTTP/1.1 100 Continue\r\n\r\n") },
	"103": func(connection net.Conn) {
		forever(connection, head("Transfer-Encoding: chunked"), "1;"+strings.Repeat("e", 2000)+"\r\n \r\n")
	},
	"104": func(connection net.Conn) {
		forever(connection, "HTTP/1.1 200 OK\r\n", "X-More: "+strings.Repeat("h", 2000)+"\r\n")
	},
	"105": func(connection net.Conn) { answer(connection, state("State"+unique(), "")) },
	"106": func(connection net.Conn) { answer(connection, state("TemporarilyBanned", terminal+secrets+unique())) },
	"107": nil, // it ends at once, see main
	"108": func(connection net.Conn) {
		forever(connection, head("Content-Length: 900719925474099"), strings.Repeat("[", 65536))
	},
	"109": func(connection net.Conn) {
		fmt.Fprintf(connection, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:8080/metrics\r\nContent-Length: 0\r\n\r\n")
	},
	"110": func(connection net.Conn) { time.Sleep(lifetime) },
}

// poisons are by LINK_MAX_ROUNDS, too: what is left on the profile for the next pod, where the runner's own record should be.
var poisons = map[string]func(record string) error{
	"111": func(record string) error { return syscall.Mkfifo(record, 0o600) },
	"112": func(record string) error { return os.Symlink("/etc/passwd", record) },
	"113": func(record string) error {
		if err := os.WriteFile(record, []byte("{"), 0o600); err != nil {
			return err
		}
		return os.Truncate(record, 1<<30) // a file with a hole takes no room
	},
}

func main() {
	number := os.Getenv("LINK_MAX_ROUNDS")
	if poison, known := poisons[number]; known {
		record := filepath.Join(os.Getenv("PROFILE_DIR"), "runner.json")
		os.Remove(record)
		if err := poison(record); err != nil {
			panic(err)
		}
		number = "110"
	}
	behaviour, known := behaviours[number]
	if !known || behaviour == nil {
		last := terminal + secrets + strings.Repeat("#", longest)
		os.WriteFile("/dev/termination-log", []byte(last[:longest]), 0o600)
		fmt.Println(last)
		os.Exit(1)
	}
	listener, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	if err != nil {
		panic(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go serve(connection, behaviour)
	}
}

func serve(connection net.Conn, behaviour func(net.Conn)) {
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(lifetime))
	lines := bufio.NewReader(connection)
	for {
		request, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		for line := request; strings.TrimSpace(line) != ""; {
			if line, err = lines.ReadString('\n'); err != nil {
				return
			}
		}
		switch _, path, _ := strings.Cut(strings.TrimSpace(request), " "); {
		case strings.HasPrefix(path, "/healthz"), strings.HasPrefix(path, "/readyz"):
			answer(connection, "{}")
		default:
			behaviour(connection)
		}
	}
}

func head(field string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + field + "\r\n\r\n"
}

func answer(connection net.Conn, body string) {
	fmt.Fprint(connection, head("Content-Length: "+strconv.Itoa(len(body))), body)
}

// forever sends the beginning, and then more and more of the same for as long as it is read.
func forever(connection net.Conn, begin, more string) {
	for piece := begin + more; ; piece = more {
		if _, err := fmt.Fprint(connection, piece); err != nil {
			return
		}
	}
}

func unique() string { return strconv.FormatInt(time.Now().UnixNano(), 36) }

func state(name, message string) string {
	revision++ // a lost count harms nobody
	return fmt.Sprintf(
		`{"sessionUID":%q,"podUID":%q,"revision":%d,"state":%q,"reason":%q,"message":"%s","linked":true,"probeAgeSeconds":0}`,
		os.Getenv("SESSION_UID"), os.Getenv("POD_UID"), revision, name, "Reason"+unique(), escaped(message),
	)
}

// escaped makes every byte of a text pass JSON.
func escaped(text string) string {
	var made strings.Builder
	for _, letter := range text {
		if letter < 0x20 || letter == '"' || letter == '\\' || letter > 0x7e {
			fmt.Fprintf(&made, `\u%04x`, letter)
		} else {
			made.WriteRune(letter)
		}
	}
	return made.String()
}
