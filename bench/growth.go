package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// growthRow is one point: the cost of a workload when one thing has a certain
// size and everything else stays the same.
type growthRow struct {
	Grows    string   `json:"grows"`
	To       int      `json:"to"`
	Workload string   `json:"workload"`
	Rows     int      `json:"rows"` // patients in the answer
	Results  []result `json:"results"`
}

// The largest accounts come first: their patients lie closest together.
var growingOwners = size{patients: 100_000, owners: []int{10_000, 1_000, 100, 10}}

// growth measures how the cost depends on the rows returned, on other rows of
// the caller, and on rows of others. Only the first may matter.
func (b *benchmark) growth(ctx context.Context) ([]growthRow, error) {
	var rows []growthRow
	point := func(s *stage, grows string, to, owner, first int, names ...string) error {
		for _, load := range workloads() {
			if !slices.Contains(names, load.name) {
				continue
			}
			calls := s.dataset.calls(load, s.dataset.owners[owner], first)
			results, err := b.plan.compare(ctx, s.dataset, b.cluster.pid, s.contenders(), load, calls)
			if err != nil {
				return err
			}
			rows = append(rows, growthRow{grows, to, load.name, patientsReturned(load, first), results})
		}
		return nil
	}
	err := b.onStage(ctx, "bench_owners", growingOwners, func(s *stage) error {
		const hundred = 2 // index of the owner with 100 patients
		for _, first := range []int{1, 10, 50, 100} {
			if err := point(s, "rows returned", first, hundred, first, "W2"); err != nil {
				return err
			}
		}
		for owner := len(growingOwners.owners) - 1; owner >= 0; owner-- {
			// The smallest account has no more patients.
			if err := point(s, "patients per owner", growingOwners.owners[owner], owner, 10, "W2"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, patients := range []int{10_000, 100_000, 1_000_000} {
		of := size{patients: patients, owners: usualSize.owners}
		err := b.onStage(ctx, fmt.Sprintf("bench_%d", patients), of, func(s *stage) error {
			return point(s, "patients in all", patients, 0, usualPage, "W1", "W2", "W5")
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// patientsReturned is how many patients an answer has.
func patientsReturned(load workload, first int) int {
	switch load.name {
	case "W1":
		return 1
	case "W5":
		return fullPage
	}
	return first
}

func growthTable(rows []growthRow) string {
	lines := [][]string{{"what grows", "to", "workload", "rows", "floor-0.1 ms", "ours ms (server + PostgreSQL)", "ours ms per row", "ratio"}}
	for _, r := range rows {
		floor, own := r.Results[0], r.Results[1]
		lines = append(lines, []string{
			r.Grows, strconv.Itoa(r.To), r.Workload, strconv.Itoa(r.Rows), decimals(floor.CPU, 3), sum(own),
			decimals(own.CPU/float64(r.Rows), 4), decimals(own.Ratio.CPU, 2) + "x",
		})
	}
	return markdown(lines)
}
