# Reads layers.txt, then sources; prints every include that breaks a rule. With -v edges=FILE the
# includes between folders and between headers are written there, for tsort.

function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
# X: the folder itself; X/: all below it too.
function covers(pattern, folder) {
  return pattern ~ /\/$/ ? index(folder "/", pattern) == 1 : folder == pattern
}
function layer_of(folder) {
  while (!(folder in reaches) && folder ~ /\//) folder = folder_of(folder)
  return folder in reaches ? folder : ""
}
function complain(what) { print FILENAME ":" FNR ": " what; bad = 1 }

FILENAME ~ /layers\.txt$/ {
  if ($1 == "layer") {
    reaches[$2] = ""
    for (i = 3; i <= NF; i++) reaches[$2] = reaches[$2] " " $i
  }
  if ($1 == "only") {
    owners[$2] = ""
    for (i = 3; i <= NF; i++) owners[$2] = owners[$2] " " $i
  }
  next
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
  target = $0
  sub(/^[^"<]*/, "", target)
  ours = target ~ /^"/
  target = substr(target, 2)
  sub(/[">].*/, "", target)
  from = folder_of(FILENAME)

  for (header in owners) {
    if (index(target, header) != 1) continue
    allowed = 0
    count = split(owners[header], list, " ")
    for (i = 1; i <= count; i++) allowed = allowed || covers(list[i], from)
    if (!allowed) complain(target " is only for" owners[header])
  }
  if (!ours) next

  into = folder_of(target)
  layer = layer_of(from)
  if (target !~ /\//) {
    complain("\"" target "\": write the path from the root")
  } else if (layer == "") {
    complain(from " has no line in layers.txt; give it its place in the order")
  } else {
    allowed = covers(layer "/", into)
    count = split(reaches[layer], list, " ")
    for (i = 1; i <= count; i++) allowed = allowed || covers(list[i], into)
    if (!allowed) {
      complain(layer " may not include " target "; it may reach: " layer reaches[layer])
    }
  }
  if (from != into) print from "/", into "/" > edges
  if (FILENAME ~ /\.h$/) print FILENAME, target > edges
}

END { exit bad }
