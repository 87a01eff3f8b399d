# Who may use whom: the one table behind the check of every #include (CheckIncludes.cmake, at build
# time) and of every link (Layers.cmake, at configuration time).

# Bottom to top. A layer may use those listed for it, and nothing else of ours.
set(MCVOL_LAYERS error files random image timing volumetry calibration io network pipeline report cli main)
set(MCVOL_USABLE_BY_error)
set(MCVOL_USABLE_BY_files error)
set(MCVOL_USABLE_BY_random error)
set(MCVOL_USABLE_BY_image error)
set(MCVOL_USABLE_BY_timing)
set(MCVOL_USABLE_BY_volumetry error files random image)
set(MCVOL_USABLE_BY_calibration ${MCVOL_USABLE_BY_volumetry} volumetry)
set(MCVOL_USABLE_BY_io ${MCVOL_USABLE_BY_calibration} calibration timing)
set(MCVOL_USABLE_BY_network ${MCVOL_USABLE_BY_calibration} calibration timing)
set(MCVOL_USABLE_BY_pipeline ${MCVOL_USABLE_BY_io} io network)
set(MCVOL_USABLE_BY_report ${MCVOL_USABLE_BY_io} io network)
set(MCVOL_USABLE_BY_cli ${MCVOL_USABLE_BY_pipeline} pipeline report)
set(MCVOL_USABLE_BY_main ${MCVOL_USABLE_BY_cli} cli)

# Third-party families: what an #include of one looks like (a regular expression on the path between
# the brackets) and the link targets that bring it.
set(MCVOL_FAMILIES itk torch spdlog cli11 nlohmann eigen boost openssl zlib png)
set(MCVOL_INCLUDE_OF_itk "^(itk|vnl/|vcl|gdcm|nifti)")
set(MCVOL_INCLUDE_OF_torch "^(torch|ATen|c10|caffe2)/")
set(MCVOL_INCLUDE_OF_spdlog "^(spdlog|fmt)/")
set(MCVOL_INCLUDE_OF_cli11 "^CLI/")
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
set(MCVOL_TARGETS_OF_nlohmann nlohmann_json::nlohmann_json)
set(MCVOL_TARGETS_OF_eigen Eigen3::Eigen)
set(MCVOL_TARGETS_OF_boost Boost::headers)
set(MCVOL_TARGETS_OF_openssl OpenSSL::Crypto)
set(MCVOL_TARGETS_OF_zlib ZLIB::ZLIB)
set(MCVOL_TARGETS_OF_png PNG::PNG)

# The families each layer may use. volumetry and calibration know numbers only.
set(MCVOL_FAMILIES_OF_error)
set(MCVOL_FAMILIES_OF_files nlohmann openssl zlib)
set(MCVOL_FAMILIES_OF_random)
set(MCVOL_FAMILIES_OF_image eigen)
set(MCVOL_FAMILIES_OF_timing)
set(MCVOL_FAMILIES_OF_volumetry eigen boost)
set(MCVOL_FAMILIES_OF_calibration eigen boost)
set(MCVOL_FAMILIES_OF_io itk nlohmann eigen zlib png)
set(MCVOL_FAMILIES_OF_network torch nlohmann eigen)
set(MCVOL_FAMILIES_OF_pipeline spdlog nlohmann eigen)
set(MCVOL_FAMILIES_OF_report nlohmann eigen)
set(MCVOL_FAMILIES_OF_cli cli11 spdlog nlohmann eigen)
set(MCVOL_FAMILIES_OF_main cli11 spdlog)

# What of it a layer's headers under include/ may show: never ITK, LibTorch or spdlog; CLI11 only
# those of cli, which nobody but main includes.
set(MCVOL_HEADER_FAMILIES nlohmann eigen)
set(MCVOL_HEADER_FAMILIES_OF_cli cli11)
# ITK's templates stay in io's .cpp files: its private headers go without them as well.
set(MCVOL_CPP_FAMILIES itk)
