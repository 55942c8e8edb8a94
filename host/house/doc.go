// Package house holds the rules of the house as tests: who may import whom,
// that every name is documented, how long a file may be, what stands at the
// top of the repository and what go.mod asks for. There is no code to use
// here. A test that fails says which rule was broken, where, and what to do;
// the rules themselves are tables at the top of each test file.
package house
