# Runs PROGRAM. Fails unless it exits with 0 and its standard output matches OUTPUT.
execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE printed RESULT_VARIABLE status)
if(NOT status STREQUAL "0")
  message(FATAL_ERROR "it ended with: ${status}\nit printed:\n${printed}")
endif()
if(NOT printed MATCHES "${OUTPUT}")
  message(FATAL_ERROR "it printed:\n${printed}\nwhich does not match:\n${OUTPUT}")
endif()
message("${printed}")
