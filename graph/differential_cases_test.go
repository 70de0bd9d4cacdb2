package graph_test

import (
	"maps"
	"slices"
	"testing"
)

// knownOperations returns common operations and known difficult ones.
func knownOperations() map[string]request {
	query := func(document string) request { return request{Document: document} }
	with := func(document string, variables map[string]any) request {
		return request{Document: document, Variables: variables}
	}
	return map[string]request{
		"one patient": query(`{ patient(id: "pat_1") { id name age phone bloodGroup } }`),
		"patients with their doctors": query(`{ patients(first: 20) { nodes { id name
			mappings { nodes { id doctor { name specialization } } } } } }`),
		"everything there is to a patient": query(`{ patients(first: 50) { totalCount nodes { id name dateOfBirth age gender email phone
			address emergencyContact bloodGroup medicalHistory createdAt updatedAt version deletedAt viewer { relations canUpdate canDelete
			writableFields redactedFields } createdBy { id username role email phone createdAt }
			mappings(isActive: null) { nodes { id notes isActive assignedAt endedAt createdAt updatedAt doctor { id name email phone
			specialization licenseNumber experienceYears address consultationFee availability isVerified createdAt updatedAt version
			deletedAt account { username } } } } } } }`),
		"patients of a doctor": query(`{ doctor(id: "doc_1") { name patients(first: 50) { totalCount nodes { name }
			edges { cursor mapping { notes } node { id } } pageInfo { hasNextPage } } } }`),
		"all accounts": query(`{ nodes(ids: ["usr_1", "usr_2", "usr_9", "usr_10", "usr_99"]) { ... on User { username email phone
			phone2: phone(format: NATIONAL) doctorProfile { id isVerified } } } }`),
		"specializations": query(`{ specializations { name doctorCount __typename } }`),
		"changes": query(`{ changes(first: 3) { __typename reset hasMore gone nodes { __typename id ... on Doctor { name account { email } } } }
			all: changes { n: nodes { ...P ... on Node { id } } nodes { ... on Doctor { patients(first: 2) { nodes { name } } } ... on User { email } } }
			doctors: changes(types: DOCTOR, first: null) { nodes { id } gone } none: changes(types: []) { hasMore nodes { id } }
			bad: changes(first: 101) { reset } unknown: changes(after: "x") { cursor } }
			fragment P on Patient { name bloodGroup mappings(first: 5, isActive: null) { totalCount nodes { notes doctor { name } } } }`),

		"absent, null and a default are three things": with(`query ($absent: Boolean, $null: Boolean, $false: Boolean = false, $nothing: Boolean = null) {
			doctor(id: 1) { a: mappings(isActive: $absent) { totalCount } b: mappings(isActive: $null) { totalCount }
			c: mappings(isActive: $false) { totalCount } d: mappings(isActive: $nothing) { totalCount } e: mappings { totalCount } }
			f: mappings(filter: {isActive: $absent}) { totalCount } g: mappings(filter: {isActive: $null}) { totalCount }
			h: mappings(filter: {}) { totalCount } i: mappings(filter: null) { totalCount } j: mappings { totalCount } }`,
			map[string]any{"null": nil}),
		"filters in variables": with(`query ($none: MappingFilter, $empty: MappingFilter, $null: MappingFilter, $gone: PatientFilter = {deleted: ONLY}) {
			a: mappings(filter: $none) { totalCount } b: mappings(filter: $empty) { totalCount } c: mappings(filter: $null) { totalCount }
			d: patients(filter: $gone) { totalCount nodes { id deletedAt } } }`,
			map[string]any{"empty": map[string]any{}, "null": map[string]any{"isActive": nil}}),
		"an order without its direction": with(`query ($by: DoctorOrder) {
			a: patients(orderBy: {field: NAME}) { nodes { id } } b: mappings(orderBy: {field: UPDATED_AT}) { nodes { id } }
			c: doctors(orderBy: $by) { nodes { id } } }`, map[string]any{"by": map[string]any{"field": "CONSULTATION_FEE"}}),
		"deleted records": query(`{ patients(filter: {deleted: INCLUDE}, first: 100) { totalCount nodes { id deletedAt
			mappings(isActive: null) { totalCount nodes { id } } doctors { totalCount } } }
			doctors(filter: {deleted: INCLUDE}) { totalCount nodes { id deletedAt patients { totalCount } } } patient(id: 8) { id } doctor(id: 4) { id } }`),

		"ids in all forms": with(`query ($number: ID!, $text: ID!, $one: [ID!]!) { a: patient(id: 1) { id } b: patient(id: "1") { id }
			c: patient(id: "doc_1") { id } d: patient(id: $number) { id } e: patient(id: $text) { id } f: node(id: "1") { id }
			g: nodes(ids: "pat_1") { id } h: nodes(ids: $one) { id } i: nodes(ids: []) { id } j: patient(id: "pat_01") { id }
			k: patient(id: "9223372036854775807") { id } l: patient(id: 0) { id } m: patient(id: -1) { id } }`,
			map[string]any{"number": 1, "text": "pat_1", "one": "doc_1"}),
		"the same id twice": query(`{ nodes(ids: ["pat_1", "pat_1", "doc_1", "pat_1", "x"]) { id ... on Patient { name } __typename } }`),
		"too many ids":      with(`query ($ids: [ID!]!) { nodes(ids: $ids) { id } me { id } }`, map[string]any{"ids": make([]int, 101)}),

		"fields that merge": query(`{ a: patient(id: 1) { name } a: patient(id: 1) { id viewer { canUpdate } } a: patient(id: 1) { viewer { relations } name }
			patients(first: 2) { nodes { id } } patients(first: 2) { edges { cursor } nodes { name } } }`),
		"fields that merge, but for those left out": with(`query ($no: Boolean!) { patient(id: 1) @skip(if: true) { id } patient(id: 1) { name @include(if: $no) name }
			patient(id: 1) @include(if: $no) { phone } ... @skip(if: $no) { patient(id: 1) { gender } } }`, map[string]any{"no": false}),
		"nothing left":             query(`{ patient(id: 1) { name @skip(if: true) } patients { nodes @skip(if: true) { id } } me @include(if: false) { id } }`),
		"nothing at all":           query(`{ me @skip(if: true) { id } }`),
		"names that swap":          query(`{ patient(id: 1) { name: address address: name id: version version: id viewer: __typename } patients: me { nodes: id } }`),
		"the order of first names": query(`{ me { role ...F id } } fragment F on User { username id role email } `),
		"fragments on the interface": query(`{ nodes(ids: ["pat_1", "doc_1", "map_1", "usr_1"]) { ...N ... on Patient { x: name } ... on Doctor { x: name }
			... on Mapping { notes ... on Node { id } } ... on User { x: username } } } fragment N on Node { __typename id ... on Doctor { specialization } }`),
		"fragments in fragments": query(`{ ...Q } fragment Q on Query { patients(first: 3) { ...C } ... on Query { doctors(first: 1) { nodes { ...D } } } }
			fragment C on PatientConnection { nodes { ...P } edges { node { ...P } } } fragment P on Patient { id doctors { nodes { ...D } } }
			fragment D on Doctor { name ... on Node { id } }`),
		"types": query(`{ __typename patients(first: 1) { __typename edges { __typename node { __typename viewer { __typename } createdBy { __typename } }
			} nodes { __typename doctors { __typename edges { __typename } } } pageInfo { __typename } } }`),

		"hidden values": query(`{ patients { nodes { secret: medicalHistory bloodGroup emergencyContact(format: NATIONAL) ...P } edges { node { ...P } } }
			mappings(first: 5) { nodes { notes patient { medicalHistory } } } doctors { nodes { account { email } createdBy { phone } deletedAt } } }
			fragment P on Patient { bloodGroup createdBy { email createdAt } }`),
		"hidden values, redacted": query(`query @redact { patients { nodes { secret: medicalHistory bloodGroup createdBy { email } } }
			nodes(ids: ["pat_2", "usr_1", "doc_2"]) { ... on Patient { bloodGroup } ... on User { phone } ... on Doctor { account { email } } } }`),

		"refusals below": query(`{ patients(first: 3) { nodes { id mappings(first: 101) { totalCount } } } me { doctorProfile { id patients(after: "x") { totalCount } } }
			mapping(id: 1) { doctor { mappings(first: 1, last: 1) { totalCount } name } } }`),
		"refusals of one among several": query(`{ a: patients(first: -1) { totalCount } b: patients(search: "\u0000") { nodes { id } } c: patients(first: 1) { nodes { id } }
			d: doctors(filter: {maxConsultationFee: "dear"}) { totalCount } e: patients(filter: {bornFrom: "1990-02-31"}) { totalCount } }`),
		"a format left out":             query(`query ($f: PhoneFormat) { patient(id: 1) { phone(format: $f) } me { phone(format: $f) } }`),
		"a null that a default forbids": with(`query ($f: PhoneFormat) { patient(id: 1) { phone(format: $f) } me { phone(format: $f) } }`, map[string]any{"f": nil}),
		"a format after that":           query(`query ($f: PhoneFormat) { patient(id: 1) { phone(format: $f) } me { phone(format: $f) } }`),
		"a condition left out":          query(`query ($b: Boolean = true) { me { id @skip(if: $b) username @include(if: $b) } }`),
		"a condition that is null":      with(`query ($b: Boolean = true) { me { id @skip(if: $b) username @include(if: $b) } }`, map[string]any{"b": nil}),
		"a variable of a wrong type":    with(`query ($n: Int) { patients(first: $n) { totalCount } }`, map[string]any{"n": "many"}),
		"a variable that is missing":    query(`query ($id: ID!) { patient(id: $id) { id } }`),
		"pages of nothing": query(`{ patients(first: 0) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }
			doctors(last: 0) { pageInfo { hasNextPage hasPreviousPage } } patient(id: 1) { mappings(first: 0) { totalCount pageInfo { hasNextPage } } } }`),
		"introspection and records": query(`{ me { id } __type(name: "Patient") { name } patients(first: 1) { nodes { __typename id } } }`),
		"as deep as can be": query(`{ patients(first: 1) { nodes { doctors(first: 1) { nodes { patients(first: 1) { nodes { doctors(first: 1) { nodes {
			mappings(first: 1) { nodes { patient { createdBy { doctorProfile { viewer { relations } } } } } } } } } } } } } } }`),
		"texts as people write them": query(`{ patients(search: """ "quoted" \""" """) { totalCount } a: patients(search: "\u00c9mile") { nodes { name } }
			b: doctors(search: "😷") { nodes { name } } }`),
	}
}

// TestDifferential_KnownOperations: all viewers send the same documents concurrently.
func TestDifferential_KnownOperations(t *testing.T) {
	t.Parallel()
	engines, all := newEngines(t), knownOperations()
	for _, who := range append(engines.outsiders, engines.viewers...) {
		t.Run(who.name, func(t *testing.T) {
			t.Parallel()
			for _, what := range slices.Sorted(maps.Keys(all)) {
				got, want := engines.ask(t, who, all[what])
				if difference := difference(t, got, want); difference != "" {
					t.Errorf("%s: %s", what, difference)
				}
				for _, err := range want.Errors {
					if is := code(err); is != "FORBIDDEN_FIELD" && !slices.Contains(refusals(), is) {
						t.Errorf("%s: %s", what, want.Body)
					}
				}
			}
		})
	}
}
