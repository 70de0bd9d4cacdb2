package store

import (
	"errors"
	"net"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// Place returns the database and the server of an address, without its user and
// password, such as "caregraph on db.example:5432".
func Place(url string) (string, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "", errors.New("the address of the database cannot be read") // err quotes the address
	}
	return config.Database + " on " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), nil
}
