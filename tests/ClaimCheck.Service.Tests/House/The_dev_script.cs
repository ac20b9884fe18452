using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ClaimCheck.Service.Tests.House;

/// <summary>What <c>./dev</c> selects, runs and adds up. Its functions are read by a shell that builds nothing, and whose dotnet
/// is a function.</summary>
public sealed partial class The_dev_script
{
    private const string All = "EndToEnd Service Adapter Consumer Import Cli Aws LocalPostgres Records";

    // Each project has one test that passes. Cli has one that fails, Import none, and Consumer dies.
    private const string Stubs = """
        need_sdk() { :; }; need_for_tests() { :; }; build_tests() { :; }; precompile() { :; }; sweep() { :; }
        dotnet() {
            echo "began $2" >>"$TRACE"
            for (( ; $# > 0; )); do [ "$1" != --results-directory ] || folder=$2; shift; done
            local passed=1 failed=0 code=0
            case $folder in
                */Import) passed=0 ;;
                */Cli) failed=1 code=1 ;;
                */Consumer) return 134 ;;
            esac
            echo "<Counters total=\"$((passed + failed))\" executed=\"$((passed + failed))\" passed=\"$passed\" failed=\"$failed\" />" >"$folder/tests.trx"
            until [ "$(grep -c began "$TRACE")" -ge "$AT_LEAST" ]; do sleep 0.05; done
            echo "output of $folder"
            return $code
        }
        """;

    [Theory]
    [InlineData("", All, "needs!=outside")]
    [InlineData("all", All, "")]
    [InlineData("outside", "Service", "needs=outside")]
    [InlineData("cli SERVICE", "Service Cli", "needs!=outside")]
    [InlineData("fast records", "Records", "needs=nothing")]
    // its own name stands here
    [InlineData("--filter A_revoked_batch_can_not_be_anything_like_this", "Service", "needs!=outside")]
    [InlineData(
        "--filter FullyQualifiedName~Service.Tests.A_name_that_stands_here_alone&needs=nothing", "Service", "needs!=outside")]
    [InlineData("--filter FullyQualifiedName!~Csv", All, "needs!=outside")]
    [InlineData("cli --filter=Told_to_stop_it_takes_all_away_too", "", "needs!=outside")]
    public async Task A_run_has_the_projects_that_its_names_and_its_filter_can_mean(
        string arguments, string projects, string mark)
    {
        var (_, output) = await BashAsync($"select_tests {Quoted(arguments)}; echo \"${{projects[*]}}|$mark\"");

        Assert.Equal($"{projects}|{mark}\n", output);
    }

    [Fact]
    public async Task A_name_of_no_project_is_refused_with_those_that_exist()
    {
        var (code, output) = await BashAsync("select_tests servic");

        Assert.Equal(1, code);
        Assert.Contains("'servic'", output, StringComparison.Ordinal);
        Assert.Contains(All.ToLowerInvariant(), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_every_project_of_tests()
    {
        var (_, output) = await BashAsync("help");

        Assert.All(All.ToLowerInvariant().Split(' '), name => Assert.Contains(name, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pages_and_help_name_the_same_commands()
    {
        var (_, help) = await BashAsync("help");
        var pages = string.Join('\n', ((string[])["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md",
            .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md")])
            .Select(page => File.ReadAllText(Path.Combine(Repository.Root, page))));

        Assert.Equal(
            CommandsOf(help).Order(StringComparer.Ordinal), CommandsOf(pages).Union(["help"]).Order(StringComparer.Ordinal));

        // The tests of one project are said by any project's name.
        static HashSet<string> CommandsOf(string text) => [.. Commands().Matches(text)
            .Select(command => command.Value["./dev ".Length..])
            .Select(command => Array.Exists(All.ToLowerInvariant().Split(' '), project => command == $"test {project}")
                ? "test NAME"
                : command)];
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public async Task Projects_run_as_many_at_a_time_as_said_and_add_up_in_one_closing_line(int lanes)
    {
        var trace = Path.GetTempFileName();
        try
        {
            // With two lanes, no project ends before a second has begun.
            var (code, output) = await BashAsync(
                $"{Stubs}\nTRACE={trace} AT_LEAST={lanes} CLAIMCHECK_TEST_LANES={lanes}; set +e; (run_tests); echo \"code $?\"");

            Assert.Equal(0, code);
            Assert.Equal(All.Split(' ').Length, File.ReadLines(trace).Count());
            Assert.EndsWith("\n7 passed, 2 failed\ncode 1\n", output, StringComparison.Ordinal);
            Assert.Contains("ClaimCheck.Consumer.Tests ended early (exit code 134): that counts as one failure.", output,
                StringComparison.Ordinal);
            // Each project's block is whole; that without tests is not mentioned.
            Assert.Equal(
                All.Split(' ').Where(name => name != "Import").Order(StringComparer.Ordinal),
                Blocks().Matches(output).Select(block => block.Groups["name"].Value).Order(StringComparer.Ordinal));
            Assert.DoesNotContain("Import", output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(trace);
        }
    }

    [Fact]
    public async Task Coverage_counts_a_line_of_code_once_however_many_runs_executed_it()
    {
        const string reports = """
            <package line-rate="0.5" name="ClaimCheck.Records">
            <class name="A" filename="A.cs">
            <line number="1" hits="0" />
            <line number="2" hits="3" branch="False" />
            <package name="ClaimCheck.Records.Tests">
            <class name="T" filename="T.cs">
            <line number="1" hits="1" />
            <package line-rate="0.5" name="ClaimCheck.Records">
            <class name="A" filename="A.cs">
            <line number="1" hits="1" />
            <line number="2" hits="0" />
            <line number="3" hits="0" />
            <line number="4" hits="0" />
            """;

        var (_, output) = await BashAsync($"coverage_by_project <<'REPORTS'\n{reports}\nREPORTS");

        Assert.Matches(@"^ClaimCheck\.Records +50\.0 % of +4 lines\n$", output);
    }

    private static string Quoted(string arguments) =>
        string.Join(' ', arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(argument => $"'{argument}'"));

    private static async Task<(int Code, string Output)> BashAsync(string commands)
    {
        var start = new ProcessStartInfo("bash", ["-c", $". ./dev; {{ {commands}\n}} 2>&1"])
        {
            WorkingDirectory = Repository.Root,
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var bash = Process.Start(start)!;
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        return (bash.ExitCode, output);
    }

    [GeneratedRegex(@"\./dev (test (fast|outside|all|NAME|[a-z]+(?=`))|[a-z]+)", RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 5000)]
    private static partial Regex Commands();

    [GeneratedRegex(@"^ClaimCheck\.(?<name>\w+)\.Tests \(\d+ s\)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 5000)]
    private static partial Regex Blocks();
}
