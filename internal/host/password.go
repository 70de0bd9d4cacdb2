package host

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// ReadPassword returns the first line of in. If in is a terminal, it prompts on
// out twice, shows no letters, and returns an error if the two entries differ.
// A password is never an argument: other users of the machine can read
// arguments, and the shell keeps them in its history.
func ReadPassword(in io.Reader, out io.Writer) (string, error) {
	file, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return firstLine(in)
	}
	first, err := ask(file, out, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := ask(file, out, "Again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func ask(file *os.File, out io.Writer, prompt string) (string, error) {
	_, _ = io.WriteString(out, prompt)
	password, err := term.ReadPassword(int(file.Fd()))
	_, _ = io.WriteString(out, "\n")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(password), nil
}
