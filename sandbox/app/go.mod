module backout/sandbox/app

go 1.24.0
