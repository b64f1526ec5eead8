# PROGRAM with a mutant fails, and says how to see it again, by its schedule and by its seed.
set(mutant "a worker passes no light fence")
set(scenario "line beside a long job")

function(expect_failure output)
  execute_process(COMMAND ${PROGRAM} --scenario ${scenario} --mutant ${mutant} ${ARGN}
    OUTPUT_VARIABLE told RESULT_VARIABLE status)
  if(NOT status EQUAL 1 OR NOT told MATCHES "${scenario}: somebody waits for ever")
    message(FATAL_ERROR "with ${ARGN}: exit ${status}, and\n${told}")
  endif()
  set(${output} "${told}" PARENT_SCOPE)
endfunction()

expect_failure(told)
string(REGEX MATCH "--replay '([^']*)'" found "${told}")
expect_failure(steps --replay ${CMAKE_MATCH_1})
string(REGEX MATCH "--seed ([0-9]+)" found "${told}")
expect_failure(same_steps --seed ${CMAKE_MATCH_1})
if(NOT steps STREQUAL same_steps)
  message(FATAL_ERROR "the seed and the schedule differ:\n${steps}\n${same_steps}")
endif()

# Without the mistake there is nothing to find in it.
string(REGEX MATCH "--replay '([^']*)'" found "${told}")
execute_process(COMMAND ${PROGRAM} --scenario ${scenario} --replay ${CMAKE_MATCH_1}
  OUTPUT_VARIABLE told RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "without the mistake: exit ${status}, and\n${told}")
endif()
