package greedy

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// clinic is the data of the drill.
type clinic struct {
	// big owns 20,600 patients, bulky 100 patients with long texts; writer creates some.
	big, bulky, writer, canary account
	bulkyIDs                   []string
	canaryPatient              string
}

// insert makes patients of an account: how many, and how long their texts are.
const insert = `INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, medical_history, created_by)
	SELECT 'Patient ' || n, '1990-05-15', 'MALE', '+9198' || lpad(n::text, 8, '0'), repeat('x', $3), '+919876500000', repeat('y', $3), $1
	FROM generate_series(1, $2::int) AS n RETURNING id`

func fill(ctx context.Context, a api, db *pgx.Conn) (c clinic, err error) {
	for _, of := range []struct {
		name             string
		to               *account
		patients, length int
	}{{"big", &c.big, 20_600, 20}, {"bulky", &c.bulky, 100, 20_000}, {"writer", &c.writer, 0, 0}, {"canary", &c.canary, 50, 20}} {
		if *of.to, err = a.register(ctx, of.name); err != nil {
			return c, err
		}
		rows, _ := db.Query(ctx, insert, of.to.id, of.patients, of.length) // CollectRows has the error
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return c, fmt.Errorf("insert patients: %w", err)
		}
		for _, id := range ids {
			switch of.to {
			case &c.bulky:
				c.bulkyIDs = append(c.bulkyIDs, fmt.Sprintf("pat_%d", id))
			case &c.canary:
				c.canaryPatient = fmt.Sprintf("pat_%d", id)
			}
		}
	}
	_, err = db.Exec(ctx, "VACUUM (ANALYZE)")
	return c, err
}

// tidy removes what a hostile document has written.
func (c clinic) tidy(ctx context.Context, db *pgx.Conn) error {
	if _, err := db.Exec(ctx, "DELETE FROM patients WHERE created_by = $1", c.writer.id); err != nil {
		return err
	}
	_, err := db.Exec(ctx, "VACUUM (ANALYZE) patients")
	return err
}
