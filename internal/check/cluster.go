package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// node is what one host of the URL says about itself.
type node struct {
	standby, feedback bool
	// timeline is nil for a standby that gets no log, and 0 for one that does not say.
	timeline *int
	ahead    time.Duration // its clock
}

// hosts asks each host of the URL for its place in the cluster. It names them by their number in
// the URL, not by their address.
func hosts(ctx context.Context, url string, now func() time.Time) Finding {
	f := Finding{"cluster", "hosts", Good, ""}
	configs, err := configsOf(url)
	if err != nil {
		return Finding{"cluster", "hosts", Warning, "could not be checked"}
	}
	nodes := make([]*node, len(configs))
	timeline, primaries := 0, 0
	for i, config := range configs {
		nodes[i], _ = ask(ctx, config, now) // nil says enough
		if n := nodes[i]; n != nil && !n.standby {
			primaries, timeline = primaries+1, *n.timeline
		}
	}
	texts := make([]string, len(nodes))
	for i, n := range nodes {
		wrong := n.wrong(timeline)
		if texts[i] = fmt.Sprintf("%d is %s", i+1, n); wrong != "" {
			f.Level, texts[i] = Warning, texts[i]+": "+wrong
		}
	}
	if f.Text = strings.Join(texts, "; "); primaries > 1 {
		f.Level, f.Text = Failure, f.Text+": there must be one primary"
	}
	return f
}

func (n *node) String() string {
	switch {
	case n == nil:
		return "out of reach"
	case n.standby && n.timeline == nil:
		return "a standby"
	case n.standby && *n.timeline == 0:
		return "a standby on a hidden timeline, hot_standby_feedback " + onOff(n.feedback)
	case n.standby:
		return fmt.Sprintf("a standby on timeline %d, hot_standby_feedback %s", *n.timeline, onOff(n.feedback))
	default:
		return fmt.Sprintf("the primary on timeline %d", *n.timeline)
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// wrong returns what is wrong with a host, given the timeline of the primary; 0 is none.
func (n *node) wrong(timeline int) string {
	switch {
	case n == nil:
		return "start it, or correct the URL"
	case n.timeline == nil:
		return "it gets no log from the primary"
	case n.standby && *n.timeline > 0 && timeline > 0 && *n.timeline != timeline:
		return "it does not follow the primary"
	case n.ahead.Abs() > mostClockDifference:
		return fmt.Sprintf("its clock differs by %s from this one: synchronize both", n.ahead.Round(time.Second))
	}
	return ""
}

// ask connects to one host.
func ask(ctx context.Context, config *pgx.ConnConfig, now func() time.Time) (*node, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	n, before := &node{}, now()
	var theirs time.Time
	err = conn.QueryRow(ctx, `SELECT pg_is_in_recovery(), current_setting('hot_standby_feedback') = 'on', clock_timestamp(),
		CASE WHEN pg_is_in_recovery() THEN (SELECT coalesce(received_tli, 0) FROM pg_stat_wal_receiver)
			ELSE ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int END`, pgx.QueryExecModeSimpleProtocol).
		Scan(&n.standby, &n.feedback, &theirs, &n.timeline)
	if err != nil {
		return nil, err
	}
	switch after := now(); { // within the time of the question it cannot be known
	case theirs.Before(before):
		n.ahead = theirs.Sub(before)
	case theirs.After(after):
		n.ahead = theirs.Sub(after)
	}
	return n, nil
}

// hostTimeout is the time to connect to a host, unless the URL has another one.
const hostTimeout = 3 * time.Second

// configsOf returns one configuration for each host of the URL.
func configsOf(url string) ([]*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	// A host without TLS can be a fallback of the same host with it.
	places := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	var all []*pgx.ConnConfig
	for _, place := range places {
		same := slices.IndexFunc(all, func(c *pgx.ConnConfig) bool { return c.Host == place.Host && c.Port == place.Port })
		if same >= 0 {
			all[same].Fallbacks = append(all[same].Fallbacks, place)
			continue
		}
		one := config.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks, one.ValidateConnect = place.Host, place.Port, place.TLSConfig, nil, nil
		if one.ConnectTimeout == 0 {
			one.ConnectTimeout = hostTimeout
		}
		all = append(all, one)
	}
	return all, nil
}

// standbys lists those that get the log from the primary.
func standbys(ctx context.Context, conn *pgx.Conn) Finding {
	f := Finding{"cluster", "standbys of the primary", Good, "none"}
	rows, err := conn.Query(ctx, `SELECT coalesce(nullif(r.application_name, ''), 'a standby') || ' (' || coalesce(r.sync_state, 'hidden') ||
		', hot_standby_feedback ' || CASE WHEN r.state IS NULL THEN 'hidden' WHEN coalesce(r.backend_xmin, s.xmin) IS NULL THEN 'off' ELSE 'on' END || ')'
		FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
		WHERE coalesce(r.application_name, '') NOT LIKE '%basebackup%' ORDER BY 1`, pgx.QueryExecModeSimpleProtocol)
	var found []string
	if err == nil {
		found, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	switch {
	case err != nil:
		f.Level, f.Text = Warning, "could not be checked"+state(err)
	case len(found) > 0:
		f.Text = strings.Join(found, ", ")
	}
	return f
}
