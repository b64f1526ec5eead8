# cmake -D PAGE=page.html -D OUT=page.cpp -P embed_page.cmake: turns the page into C++, along with a
# Content-Security-Policy that names its one script and its one style by their SHA-256.

# between(<out> <text> <from> <to>): what stands between the first `from` and the next `to`.
function(between out text from to)
  string(FIND "${text}" "${from}" begin)
  string(LENGTH "${from}" length)
  if(begin EQUAL -1)
    message(FATAL_ERROR "${PAGE} has no ${from}")
  endif()
  math(EXPR begin "${begin} + ${length}")
  string(SUBSTRING "${text}" ${begin} -1 rest)
  string(FIND "${rest}" "${to}" end)
  string(SUBSTRING "${rest}" 0 ${end} found)
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# base64_of_hex(<out> <hex>): 64 hexadecimal digits, 32 bytes, as 44 characters.
function(base64_of_hex out hex)
  set(alphabet "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(text "")
  foreach(at RANGE 0 60 6)
    string(SUBSTRING "${hex}00" ${at} 6 digits)  # the last three bytes are two and a zero
    math(EXPR value "0x${digits}")
    foreach(shift 18 12 6 0)
      math(EXPR index "(${value} >> ${shift}) & 63")
      string(SUBSTRING "${alphabet}" ${index} 1 character)
      string(APPEND text "${character}")
    endforeach()
  endforeach()
  string(SUBSTRING "${text}" 0 43 text)
  set(${out} "${text}=" PARENT_SCOPE)
endfunction()

file(READ "${PAGE}" html)
foreach(part script style)
  between(${part} "${html}" "<${part}>" "</${part}>")
  string(SHA256 hash "${${part}}")
  base64_of_hex(${part}_hash "${hash}")
endforeach()

file(READ "${PAGE}" bytes HEX)
string(REPEAT "." 32 sixteen_bytes)
string(REGEX REPLACE "(${sixteen_bytes})" "\\1\n    " bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")

file(WRITE "${OUT}.new" "// Made from page.html by embed_page.cmake.
#include \"page.hpp\"

namespace brigade::detail {

namespace {

constexpr char html[] = {
    ${bytes}};

}  // namespace

std::string_view page_html() noexcept { return {html, sizeof html}; }

std::string_view page_policy() noexcept {
  return \"default-src 'none'; script-src 'sha256-${script_hash}'; style-src 'sha256-${style_hash}'; \"
         \"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \"
         \"frame-ancestors 'none'\";
}

}  // namespace brigade::detail
")
file(RENAME "${OUT}.new" "${OUT}")
