package model

// Topics are kinds of records whose changes concern a client.
type Topics uint8

// The topics. A mapping belongs to its patient. The change feed has all of them but
// TopicOthers: notices, grants and the like.
const (
	TopicPatients Topics = 1 << iota
	TopicDoctors
	TopicAccounts
	TopicOthers

	AllTopics = TopicPatients | TopicDoctors | TopicAccounts | TopicOthers
)

// TopicOf returns the topic of a record type.
func TopicOf(typ string) Topics {
	switch typ {
	case "Patient", "Mapping":
		return TopicPatients
	case "Doctor":
		return TopicDoctors
	case "User":
		return TopicAccounts
	default:
		return TopicOthers
	}
}
