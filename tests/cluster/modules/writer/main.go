// Command writer stands in for Coder: it writes a row to its database about ten times a second and logs every row
// that the database acknowledged, so that lost rows and gaps can be computed afterwards.
//
// Its log: "ack NUMBER SECONDS" (Unix time of the acknowledgement) and "fail NUMBER SECONDS REASON". A number is used
// once only: a failed row is not sent again, its successor gets the next number. Numbers start at the Unix time in
// milliseconds, so a restarted writer never reuses one, whatever the database has lost.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq"
)

const (
	period       = 100 * time.Millisecond
	writeLimit   = 5 * time.Second
	connectLimit = 3 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	url := os.Getenv("CODER_PG_CONNECTION_URL")
	if url == "" {
		fmt.Fprintln(os.Stderr, "CODER_PG_CONNECTION_URL is not set")
		os.Exit(2)
	}
	// The pool keeps no connection back, so each attempt asks the name service and the server anew.
	pool, err := sql.Open("postgres", url)
	if err != nil {
		fmt.Fprintln(os.Stderr, "CODER_PG_CONNECTION_URL is no PostgreSQL URL")
		os.Exit(2)
	}
	pool.SetMaxIdleConns(-1)
	write(ctx, pool)
}

// write inserts until the context ends.
func write(ctx context.Context, pool *sql.DB) {
	var connection *sql.Conn
	number := time.Now().UnixMilli()
	tick := time.NewTicker(period)
	defer tick.Stop()
	for ctx.Err() == nil {
		if connection == nil {
			var err error
			if connection, err = connect(ctx, pool); err != nil {
				note("fail", 0, reason(err))
			}
		}
		if connection != nil {
			if err := insert(ctx, connection, number); err != nil {
				note("fail", number, reason(err))
				connection.Close()
				connection = nil
			} else {
				note("ack", number, "")
			}
			number++
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// connect opens one connection and makes the table where it is missing.
func connect(ctx context.Context, pool *sql.DB) (*sql.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	connection, err := pool.Conn(limited)
	if err != nil {
		return nil, err
	}
	const table = `CREATE TABLE IF NOT EXISTS coder_writes (
		number bigint PRIMARY KEY, written_at timestamptz NOT NULL DEFAULT clock_timestamp())`
	if _, err := connection.ExecContext(limited, table); err != nil {
		connection.Close()
		return nil, err
	}
	return connection, nil
}

func insert(ctx context.Context, connection *sql.Conn, number int64) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	result, err := connection.ExecContext(limited, `INSERT INTO coder_writes (number) VALUES ($1)`, number)
	if err != nil {
		return err
	}
	rows, err := result.RowsAffected()
	if err == nil && rows != 1 {
		err = errors.New("the insert affected no row")
	}
	return err
}

func note(what string, number int64, why string) {
	now := float64(time.Now().UnixMilli()) / 1000
	fmt.Println(strings.TrimSpace(fmt.Sprintf("%s %d %.3f %s", what, number, now, why)))
}

// reason is the error's first line. The driver's errors name no password.
func reason(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
