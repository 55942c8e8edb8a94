package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Lengths of passwords. Eight characters are NIST 800-63B's and OWASP's least;
// the most, in bytes, bounds the work of one request.
const (
	MinPassword = 8
	MaxPassword = 1000
)

// The errors of passwords that are refused. Each of the others wraps ErrWeak.
var (
	// ErrWeak says that a password may not be used.
	ErrWeak = errors.New("auth: password refused")
	// ErrPasswordShort asks for at least MinPassword characters.
	ErrPasswordShort = fmt.Errorf("%w: use at least %d characters", ErrWeak, MinPassword)
	// ErrPasswordLong asks for at most MaxPassword bytes.
	ErrPasswordLong = fmt.Errorf("%w: use at most %d bytes", ErrWeak, MaxPassword)
	// ErrPasswordCommon says that everybody tries this password first.
	ErrPasswordCommon = fmt.Errorf("%w: it is one of the commonest, choose another", ErrWeak)
	// ErrPasswordName says that it is the login or the e-mail address.
	ErrPasswordName = fmt.Errorf("%w: it is the login or the e-mail address, choose another", ErrWeak)
)

// checkPassword reports why a password is refused. There are no rules about
// kinds of characters: they make passwords worse (NIST 800-63B, 5.1.1.2).
func checkPassword(password, login, email string, allowWeak bool) error {
	switch {
	case len(password) > MaxPassword:
		return ErrPasswordLong
	case utf8.RuneCountInString(password) < MinPassword:
		return ErrPasswordShort
	case allowWeak:
		return nil
	}
	plain := normal(password)
	local, _, _ := strings.Cut(email, "@")
	switch {
	case common[plain]:
		return ErrPasswordCommon
	case plain == login, plain == email, plain == local:
		return ErrPasswordName
	}
	return nil
}

// common holds the commonest passwords of at least MinPassword characters, in
// lower case, as every published list of leaked passwords has them at its top.
var common = func() map[string]bool {
	set := make(map[string]bool)
	for _, p := range strings.Fields(commonList) {
		set[p] = true
	}
	return set
}()

// commonList is the text of common.
const commonList = `
00000000 000000000 0000000000 01234567 012345678 0123456789 0987654321 10203040 1020304050
11111111 111111111 1111111111 11112222 11223344 1122334455 12121212 123123123 1231231234 12341234
123321123 12344321 12345678 123456789 1234567890 12345678910 123456789a 12345678a 1234567a 1234qwer
123abc456 123qweasd 147258369 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2 22222222 33333333 44444444
55555555 555555555 66666666 666666666 77777777 777777777 87654321 88888888 888888888 987654321
9876543210 99999999 999999999 a1234567 a12345678 a123456789 aa123456 aa12345678 aaaaaaaa abc12345
abc123456 abcd1234 abcdefgh admin123 admin1234 admin12345 administrator asdasdasd asdf1234 asdfasdf
asdfghjk asdfghjkl babygirl baseball basketball bismillah butterfly changeit changeme changeme1
charlie1 chocolate computer contrasena contraseña corvette cristina danielle dearbook default1
download elephant evildick facebook fernando firebird football football1 godzilla google123 gwerty123
hello123 helloworld iloveyou iloveyou1 iloveyou2 internet jennifer jonathan jordan23 kristina lakers24
letmein1 letmein123 liverpool login123 lovelove manchester marlboro master123 maverick metallica michael1
michelle midnight mustang1 mypassword nicholas p@55w0rd p@ssw0rd p@ssword pa55word pa55w0rd pass1234
passpass passw0rd passwort password password! password1 password1! password12 password123 password1234
password2 password3 password9 patricia pokemon1 precious princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc
qwer1234 qwerasdf qwerqwer qwert123 qwert1234 qwerty12 qwerty123 qwerty1234 qwertyui qwertyuio qwertyuiop
rockyou1 samantha scorpion senha123 senha1234 sunshine sunshine1 superman superman1 starwars swordfish
teacher1 test1234 testtest trustno1 victoria welcome1 welcome123 whatever zaq12wsx zaq1zaq1 zxcvbnm1
zxcvbnm123 zxcvbnma student1 student123 letmein! qwerty!@ 1234abcd abcd12345 user1234 guest123 root1234
`
