#!/bin/sh
# Renders every clip of phrases.json; needed only to change the clips, never to play them.
# Debian: apt-get install espeak-ng flite sox python3
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

speak() { # voice, text: writes $work/raw.wav
    case $1 in
        slt | rms | awb | kal16) flite -voice "$1" -t "$2" -o "$work/raw.wav" ;;
        espeak_low) espeak-ng -v en-us+m3 -s 150 -w "$work/raw.wav" "$2" ;;
        espeak_high) espeak-ng -v en-gb+f2 -s 160 -w "$work/raw.wav" "$2" ;;
    esac
}

render() { # voice, phrase id, text
    speak "$1" "$3"
    sox -D "$work/raw.wav" -r 8000 -c 1 "$work/phone.wav" gain -6 highpass 200 lowpass 3500 norm -1 \
        silence 1 0.02 1% reverse silence 1 0.02 1% reverse
    # One loudness for every voice: -23 dBFS RMS, then room for 60 ms of quiet at both ends.
    rms=$(sox "$work/phone.wav" -n stats 2>&1 | awk '/^RMS lev dB/ { print $4 }')
    mkdir -p "clips/$1"
    sox -D "$work/phone.wav" -t raw -e mu-law "clips/$1/$2.ulaw" \
        gain "$(awk "BEGIN { print -23 - ($rms) }")" pad 0.06 0.06
}

rm -rf clips
python3 -c '
import json
for name, phrase in json.load(open("phrases.json")).items():
    voices = ["slt"] if phrase["role"] == "agent" else ["rms", "awb", "kal16", "espeak_low", "espeak_high"]
    for voice in voices:
        print(voice, name, phrase["text"])
' | while read -r voice name text; do
    render "$voice" "$name" "$text"
done
find clips -name '*.ulaw' | LC_ALL=C sort | xargs sha256sum > SHA256SUMS
