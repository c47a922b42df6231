// All sources at once, as the sketch takes them in: file by file they are larger than a UNO.
#include "../uno.ino"
