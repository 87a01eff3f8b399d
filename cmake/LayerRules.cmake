# Who may use whom: the one table behind the check of every #include (CheckIncludes.cmake, at build
# time) and of every link (Layers.cmake, at configuration time).

# Bottom to top. A layer, or a part of one that is divided, may use those listed for it, and nothing
# else of ours.
set(MCVOL_LAYERS error files random image timing volumetry calibration quality)
set(MCVOL_USABLE_BY_error)
set(MCVOL_USABLE_BY_files error)
set(MCVOL_USABLE_BY_random error)
set(MCVOL_USABLE_BY_image error)
set(MCVOL_USABLE_BY_timing)
set(MCVOL_USABLE_BY_volumetry error files random image)
set(MCVOL_USABLE_BY_calibration ${MCVOL_USABLE_BY_volumetry} volumetry)
set(MCVOL_USABLE_BY_quality error random image)

# mcvol_parts(<layer> <layers usable by all parts> <part>...): parts bottom to top, each of which may
# use those before it.
function(mcvol_parts layer usable)
  set(parts "")
  foreach(part IN LISTS ARGN)
    set(MCVOL_USABLE_BY_${layer}/${part} ${usable} ${parts} PARENT_SCOPE)
    list(APPEND parts "${layer}/${part}")
  endforeach()
  set(MCVOL_PARTS_OF_${layer} ${parts} PARENT_SCOPE)
  set(MCVOL_LAYERS ${MCVOL_LAYERS} ${parts} PARENT_SCOPE)
endfunction()

set(numbers ${MCVOL_USABLE_BY_calibration} calibration quality timing)
mcvol_parts(io "${numbers}" images scans records maps tables)
mcvol_parts(network "${numbers}" bundle segmenter kernels/cpu kernels/cuda memory device jit archive dropout graph
  products convolutions rewrites passes windows assembly run library)
# Kernels are plain C++ on pointers, or CUDA text.
set(MCVOL_USABLE_BY_network/kernels/cpu random)
set(MCVOL_USABLE_BY_network/kernels/cuda)
# What the rest of the program knows of networks: their descriptions, and how to ask for passes.
set(networks network/bundle network/segmenter)

set(MCVOL_USABLE_BY_analysis ${numbers} ${MCVOL_PARTS_OF_io} network/bundle)
list(APPEND MCVOL_LAYERS analysis)
mcvol_parts(report "${numbers};${MCVOL_PARTS_OF_io};analysis" html figures pages)
set(MCVOL_USABLE_BY_pipeline ${MCVOL_USABLE_BY_analysis} ${networks} analysis)
set(MCVOL_USABLE_BY_cli ${MCVOL_USABLE_BY_pipeline} pipeline report/pages)
set(MCVOL_USABLE_BY_main ${MCVOL_USABLE_BY_cli} cli)
list(APPEND MCVOL_LAYERS pipeline cli main)

# Third-party families: what an #include of one looks like (a regular expression on the path between
# the brackets) and the link targets that bring it.
set(MCVOL_FAMILIES itk torch spdlog cli11 toml nlohmann eigen boost openssl zlib png)
set(MCVOL_INCLUDE_OF_itk "^(itk|vnl/|vcl|gdcm|nifti)")
set(MCVOL_INCLUDE_OF_torch "^(torch|ATen|c10|caffe2)/")
set(MCVOL_INCLUDE_OF_spdlog "^(spdlog|fmt)/")
set(MCVOL_INCLUDE_OF_cli11 "^CLI/")
set(MCVOL_INCLUDE_OF_toml "^toml\\+\\+/")
set(MCVOL_INCLUDE_OF_nlohmann "^nlohmann/")
set(MCVOL_INCLUDE_OF_eigen "^(unsupported/)?Eigen/")
set(MCVOL_INCLUDE_OF_boost "^boost/")
set(MCVOL_INCLUDE_OF_openssl "^openssl/")
set(MCVOL_INCLUDE_OF_zlib "^zlib\\.h$")
set(MCVOL_INCLUDE_OF_png "^png\\.h$")
set(MCVOL_TARGETS_OF_itk mcvol_itk)
set(MCVOL_TARGETS_OF_torch mcvol_torch mcvol_c10)
set(MCVOL_TARGETS_OF_spdlog spdlog::spdlog spdlog::spdlog_header_only)
set(MCVOL_TARGETS_OF_cli11 CLI11::CLI11)
set(MCVOL_TARGETS_OF_toml tomlplusplus::tomlplusplus)
set(MCVOL_TARGETS_OF_nlohmann nlohmann_json::nlohmann_json)
set(MCVOL_TARGETS_OF_eigen Eigen3::Eigen)
set(MCVOL_TARGETS_OF_boost Boost::headers)
set(MCVOL_TARGETS_OF_openssl OpenSSL::Crypto)
set(MCVOL_TARGETS_OF_zlib ZLIB::ZLIB)
set(MCVOL_TARGETS_OF_png PNG::PNG)

# The families each layer may use. volumetry, calibration and quality know numbers only,
# and so do kernels.
set(MCVOL_FAMILIES_OF_error)
set(MCVOL_FAMILIES_OF_files nlohmann openssl zlib)
set(MCVOL_FAMILIES_OF_random)
set(MCVOL_FAMILIES_OF_image eigen)
set(MCVOL_FAMILIES_OF_timing)
set(MCVOL_FAMILIES_OF_volumetry eigen boost)
set(MCVOL_FAMILIES_OF_calibration eigen boost)
set(MCVOL_FAMILIES_OF_quality eigen)
set(MCVOL_FAMILIES_OF_io/images itk eigen zlib png)
foreach(part IN ITEMS scans records maps tables)
  set(MCVOL_FAMILIES_OF_io/${part} nlohmann eigen)
endforeach()
set(MCVOL_FAMILIES_OF_network/bundle nlohmann)
set(MCVOL_FAMILIES_OF_network/segmenter nlohmann)
foreach(part IN ITEMS memory device jit archive dropout graph products convolutions rewrites passes windows assembly run
             library)
  set(MCVOL_FAMILIES_OF_network/${part} torch nlohmann eigen)
endforeach()
set(MCVOL_FAMILIES_OF_analysis nlohmann eigen)
foreach(part IN ITEMS html figures pages)
  set(MCVOL_FAMILIES_OF_report/${part} nlohmann eigen)
endforeach()
set(MCVOL_FAMILIES_OF_pipeline nlohmann eigen)
set(MCVOL_FAMILIES_OF_cli cli11 spdlog toml nlohmann eigen)
set(MCVOL_FAMILIES_OF_main)

# What of it a layer's headers under include/ may show: never ITK, LibTorch, spdlog or CLI11.
set(MCVOL_HEADER_FAMILIES nlohmann eigen)

# A test of a divided layer stands for all of its parts: their layers and families are its own.
foreach(layer IN ITEMS io network report)
  set(MCVOL_USABLE_BY_${layer} ${MCVOL_PARTS_OF_${layer}})
  set(MCVOL_FAMILIES_OF_${layer} "")
  foreach(part IN LISTS MCVOL_PARTS_OF_${layer})
    list(APPEND MCVOL_USABLE_BY_${layer} ${MCVOL_USABLE_BY_${part}})
    list(APPEND MCVOL_FAMILIES_OF_${layer} ${MCVOL_FAMILIES_OF_${part}})
  endforeach()
  list(REMOVE_DUPLICATES MCVOL_USABLE_BY_${layer})
  list(REMOVE_DUPLICATES MCVOL_FAMILIES_OF_${layer})
endforeach()
