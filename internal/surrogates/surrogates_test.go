package surrogates_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/surrogates"
	"github.com/caregraph/caregraph/internal/testutil"
)

func TestHasHalf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		``: false, `\`: false, `a \n b`: false, `\u0041`: false, `\ud83d\ude00`: false, `\uD83D\uDE00\uD83D\uDE00`: false, `\\ud83d`: false, `\\\\ud83d`: false, `😀`: false, `\ud7ff\ue000`: false,
		`\ud83d`: true, `a\ud83d b`: true, `\ude00`: true, `\ude00\ud83d`: true, `\ud83d\ud83d\ude00`: true, `\ud83d\ude00\ude00`: true, `\\\ud83d`: true, `\ud83d\\ude00`: true, `\ud83d\n`: true,
		`\ud83`: false, `\ud83dx\ude00`: true, `\uzzzz`: false,
	} {
		testutil.Equal(t, text, surrogates.HasHalf(text), want)
		testutil.Equal(t, text, surrogates.HasHalf([]byte(text)), want)
	}
}
