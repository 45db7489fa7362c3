#!/bin/sh
# A source for the archiver in POSIX sh: the decks in a folder that has one folder for each event.
#
#     sh folder.sh FOLDER        with FOLDER/beijing/Deploy OpenStack with Chef.pdf
#
# It answers one line after the other until its input ends. It needs no program that reads JSON, because
# the archiver writes its messages without blanks and with their members in a fixed order.
set -u
folder=$1

# Names that would need escaping in JSON, or that are no UTF-8, are left out.
is_plain() {
    case $1 in *[\"\\[:cntrl:]]*) return 1 ;; esac
    printf %s "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1
}

describe() {
    if [ -d "$folder" ]; then
        printf '{"id":%s,"type":"described","protocol":1,"max_fetches":2}\n' "$id"
    else
        fail fatal 'the folder of the decks is not there' 'name it after folder.sh in archive.yaml'
    fi
}

discover() { # the whole request
    limit=${1#*\",\"limit\":}
    limit=${limit%%,*}
    complete=true
    count=0
    for path in "$folder"/*/*; do
        file=${path##*/}
        event=${path%/*}
        event=${event##*/}
        [ -f "$path" ] || continue
        # Only what belongs to an event that is asked for: it stands so in the request.
        case $1 in *"\"event\":{\"id\":\"$event\""*) ;; *) continue ;; esac
        if ! is_plain "$file"; then
            echo "left out because of its name: $path" >&2
            continue
        fi
        if [ "$count" = "$limit" ]; then
            complete=false
            break
        fi
        count=$((count + 1))
        # A checksum and the size say whether it has changed.
        printf '{"id":%s,"type":"material","material":{"id":"%s","kind":"slides","title":"%s","event":"%s","revision":"%s"}}\n' \
            "$id" "$event/$file" "${file%.*}" "$event" "$(cksum <"$path")"
    done
    printf '{"id":%s,"type":"checkpoint","complete":%s}\n' "$id" "$complete"
}

fetch() { # the whole request
    rest=${1#*\"into\":\"}
    into=${rest%%\"*}
    rest=${rest#*\"material\":\{\"id\":\"}
    deck=${rest%%\"*}
    case /$deck/ in */../* | */./*) deck='' ;; esac
    if [ ! -f "$folder/$deck" ]; then
        fail gone 'this deck is no longer in the folder' ''
    elif cp "$folder/$deck" "$into/deck"; then
        printf '{"id":%s,"type":"file","path":"deck"}\n' "$id"
        printf '{"id":%s,"type":"done"}\n' "$id"
    else
        fail transient 'the deck could not be copied' 'see what cp says, with -v'
    fi
}

fail() { # reason, message, hint
    printf '{"id":%s,"type":"error","reason":"%s","message":"%s","hint":"%s"}\n' "$id" "$1" "$2" "$3"
}

while IFS= read -r line; do
    # Every request begins so: {"id":3,"type":"fetch",
    rest=${line#\{\"id\":}
    id=${rest%%,*}
    rest=${rest#*,\"type\":\"}
    case ${rest%%\"*} in
        describe) describe ;;
        discover) discover "$line" ;;
        fetch) fetch "$line" ;;
        *) fail fatal 'this request is unknown' 'take a newer folder.sh' ;;
    esac
done
