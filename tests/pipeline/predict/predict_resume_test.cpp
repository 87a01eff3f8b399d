#include "mcvol/files/text_file.h"
#include "mcvol/io/records/run_lock.h"

#include <chrono>
#include <sstream>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>
#include <signal.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

TEST_F(Predict, FinishedFolderLoadsNoNetwork) {
  run(options());
  const std::string before = table();
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.kept, 3);
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(behaviour_->runs, 3);
  EXPECT_EQ(table(), before);
  EXPECT_EQ(run_file().device, "fake");
}

TEST_F(Predict, OtherLevelNeedsNoNetwork) {
  run(options());
  PredictOptions other = options();
  other.levels = parse_levels({"0.9", "0.5"});
  run(other);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_NE(table().find("case_a,whole,0.5,"), std::string::npos);
}

TEST_F(Predict, ChangedScanIsMeasuredAgainAndATouchedOneIsNot) {
  run(options());
  const fs::path touched = root_ / "scans" / "case_a" / "case_a_t1.nii.gz";
  fs::last_write_time(touched, fs::last_write_time(touched) + std::chrono::hours(1));
  testing::write_fake_scan(root_ / "scans", "case_b", 9);
  const fs::path changed = root_ / "scans" / "case_b" / "case_b_t1.nii.gz";
  fs::last_write_time(changed, fs::last_write_time(changed) + std::chrono::hours(1));
  run(options());
  EXPECT_EQ(listener_.order, std::vector<std::string>{"case_b"});
}

TEST_F(Predict, AnIdStaysTheCasesThatWasMeasuredUnderItWhateverComesBeside) {
  testing::write_fake_scan(root_ / "studies" / "b", "p1", 4);
  PredictOptions studies = options();
  studies.scans = {root_ / "studies"};
  run(studies);
  const std::string sha256 = record("p1").inputs.at(0).sha256;
  testing::write_fake_scan(root_ / "studies" / "a", "p1", 5);
  const PredictOutcome outcome = run(studies);
  EXPECT_EQ(outcome.kept, 1);
  EXPECT_EQ(outcome.measured, 1);
  EXPECT_EQ(record("p1").inputs.at(0).sha256, sha256);
  // In shards it has to come to the same ids, whichever has the record.
  for (const int index : {1, 2}) {
    PredictOptions shard = studies;
    shard.shard = Shard{index, 2};
    for (const PlannedCase& planned : plan_scans(shard).cases) {
      const bool is_first =
          planned.scan.channel_files.at(0).file.string().find("/b/") != std::string::npos;
      EXPECT_EQ(planned.scan.case_id == "p1", is_first);
    }
  }
}

TEST_F(Predict, OtherRunIdentityIsRefusedBeforeAnyWork) {
  run(options());
  const std::string before = table();
  PredictOptions other = options();
  other.seed = 5;
  try {
    run(other);
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("seed"), std::string::npos) << error.what();
  }
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, FreshReplacesEachRecordOnlyOnceTheNewOneIsWhole) {
  run(options());
  const std::string old_identity = record("case_a").run_identity;
  PredictOptions other = options();
  other.seed = 5;
  other.fresh = true;
  behaviour_->on_run = [](int number) {
    if (number == 5) throw Error("the device is gone");  // the second of this run
  };
  EXPECT_THROW(run(other), Error);
  EXPECT_NE(record("case_a").run_identity, old_identity);
  EXPECT_EQ(record("case_b").run_identity, old_identity);
  EXPECT_EQ(record("case_b").status, CaseRecord::Status::kOk);
  behaviour_->on_run = {};
  other.fresh = false;
  run(other);
  EXPECT_EQ(listener_.order, (std::vector<std::string>{"case_b", "case_c"}));
  other.output = root_ / "other";
  run(other);
  EXPECT_EQ(table(), table("other"));
}

TEST_F(Predict, InterruptedAnywhereAndResumedGivesTheSameTable) {
  run(options("whole"));
  behaviour_->block_size = 100;
  for (int asked_before_stop = 1; asked_before_stop < 12; ++asked_before_stop) {
    const std::string out = "cut_" + std::to_string(asked_before_stop);
    int asked = 0;
    services_.stop = [&]() -> std::optional<ExitCode> {
      if (++asked < asked_before_stop) return std::nullopt;
      return ExitCode::kTerminated;
    };
    const PredictOutcome cut = run(options(out));
    EXPECT_EQ(cut.exit_code, ExitCode::kTerminated);
    EXPECT_EQ(run_file(out).state, RunFile::State::kInterrupted);
    EXPECT_EQ(run_file(out).done, cut.measured);
    services_.stop = [] { return std::nullopt; };
    const PredictOutcome rest = run(options(out));
    EXPECT_EQ(rest.exit_code, ExitCode::kSuccess);
    EXPECT_EQ(rest.kept, cut.measured);
    EXPECT_EQ(table(out), table("whole"));
    EXPECT_EQ(run_file(out).state, RunFile::State::kComplete);
  }
}

using PredictDeathTest = Predict;

TEST_F(PredictDeathTest, KilledInTheMidstOfAnyCaseAndResumedGivesTheSameTable) {
  run(options("whole"));
  for (int victim = 1; victim <= 3; ++victim) {
    const std::string out = "killed_in_case_" + std::to_string(victim);
    behaviour_->on_run = [victim, before = behaviour_->runs](int number) {
      if (number == before + victim) raise(SIGKILL);
    };
    EXPECT_EXIT(run(options(out)), ::testing::KilledBySignal(SIGKILL), "");
    behaviour_->on_run = {};
    EXPECT_EQ(run_file(out).state, RunFile::State::kRunning);
    EXPECT_EQ(run(options(out)).kept, victim - 1);
    EXPECT_EQ(table(out), table("whole"));
  }
}

TEST_F(PredictDeathTest, EndedByASecondSignalItSaysThatItWasInterrupted) {
  run(options("whole"));
  behaviour_->on_run = [before = behaviour_->runs](int number) {
    if (number != before + 2) return;
    raise(SIGINT);
    raise(SIGINT);
  };
  const auto interrupted_twice = [&] {
    install_interrupt_handlers();
    run(options("cut"));
  };
  EXPECT_EXIT(interrupted_twice(), ::testing::ExitedWithCode(130), "");
  behaviour_->on_run = {};
  EXPECT_EQ(run_file("cut").state, RunFile::State::kInterrupted);
  EXPECT_EQ(run(options("cut")).kept, 1);
  EXPECT_EQ(table("cut"), table("whole"));
  for (const auto& entry : std::filesystem::directory_iterator(root_ / "cut")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".run.json")) << entry.path();
  }
}

TEST_F(Predict, FreshRunOfSomeCasesMarksTheRowsOfTheOthers) {
  run(options());
  PredictOptions other = options();
  other.scans = {root_ / "scans" / "case_a"};
  other.seed = 1;
  other.fresh = true;
  run(other);
  ASSERT_EQ(listener_.warnings.size(), 2u);
  EXPECT_NE(listener_.warnings[0].find("case_b and 1 more case(s) of earlier runs: not found"),
            std::string::npos)
      << listener_.warnings[0];
  EXPECT_NE(listener_.warnings[1].find("2 case(s)"), std::string::npos) << listener_.warnings[1];
  std::istringstream lines(table());
  for (std::string line; std::getline(lines, line);) {
    const bool marked = line.find("other_run") != std::string::npos;
    EXPECT_EQ(marked, line.starts_with("case_b") || line.starts_with("case_c")) << line;
  }
}

TEST_F(Predict, InterruptedFreshRunMarksTheRowsItDidNotReplace) {
  run(options());
  PredictOptions other = options();
  other.seed = 1;
  other.fresh = true;
  services_.stop = [this]() -> std::optional<ExitCode> {
    if (listener_.records.empty()) return std::nullopt;
    return ExitCode::kTerminated;
  };
  EXPECT_EQ(run(other).exit_code, ExitCode::kTerminated);
  ASSERT_EQ(listener_.warnings.size(), 1u);
  EXPECT_NE(listener_.warnings[0].find("2 case(s)"), std::string::npos) << listener_.warnings[0];
  std::istringstream lines(table());
  for (std::string line; std::getline(lines, line);) {
    const bool marked = line.find("other_run") != std::string::npos;
    EXPECT_EQ(marked, line.starts_with("case_b") || line.starts_with("case_c")) << line;
  }
  services_.stop = [] { return std::nullopt; };
  other.fresh = false;
  run(other);
  EXPECT_TRUE(listener_.warnings.empty());
  EXPECT_EQ(table().find("other_run"), std::string::npos);
}

TEST_F(Predict, WhatAKilledRunLeftHalfWrittenIsClearedUnderTheLock) {
  const fs::path out = root_ / "out";
  const fs::path record = out / "cases" / ".case_a.json.tmp-123-4";
  const fs::path table = out / ".volumes.csv.tmp-123-0";
  const fs::path slice = out / "thumbnails" / ".case_a.png.tmp-123-5";
  write_file_atomically(record, "{");
  write_file_atomically(slice, "");
  write_file_atomically(table, "case_id");
  {
    const RunLock other(out);
    EXPECT_THROW(run(options()), FolderLockedError);
    EXPECT_TRUE(fs::exists(record)) << "may be the other run's";
  }
  run(options());
  EXPECT_FALSE(fs::exists(record));
  EXPECT_FALSE(fs::exists(table));
  EXPECT_FALSE(fs::exists(slice));
}

TEST_F(Predict, RecordThatCannotBeReadIsNamedAndMadeAgain) {
  run(options());
  const std::string before = table();
  write_file_atomically(root_ / "out" / "cases" / "case_b.json", "{");
  run(options());
  ASSERT_EQ(listener_.warnings.size(), 1u);
  EXPECT_NE(listener_.warnings[0].find("case_b.json"), std::string::npos);
  EXPECT_EQ(listener_.order, std::vector<std::string>{"case_b"});
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, FolderHeldByAnotherRunIsLeftAlone) {
  const RunLock lock(root_ / "out");
  EXPECT_THROW(run(options()), FolderLockedError);
}

TEST_F(Predict, PlanSaysWhatIsKeptMeasuredAndRefused) {
  run(options());
  fs::remove(root_ / "scans" / "case_c" / "case_c_t1.nii.gz");
  testing::write_fake_scan(root_ / "scans", "case_d", 4);
  PredictPlan plan = plan_scans(options());
  check_run_identity(plan, false);
  ResultFolder results(plan.folder, options().levels, plan.identity_sha256, nullptr,
                       plan.found_ids);
  EXPECT_TRUE(results.load().empty());
  keep_finished(plan, results, false);
  ASSERT_EQ(plan.cases.size(), 4u);
  EXPECT_EQ(plan.cases[0].action, CaseAction::kKeep);
  EXPECT_EQ(plan.cases[2].action, CaseAction::kRefuse);
  EXPECT_NE(plan.cases[2].reason.find("t1"), std::string::npos);
  EXPECT_EQ(plan.cases[3].action, CaseAction::kMeasure);
  EXPECT_EQ(plan.cases[3].reason, "");
}

}  // namespace
}  // namespace mcvol
