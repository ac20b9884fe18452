using Microsoft.Extensions.Configuration.Json;

namespace ClaimCheck.Adapter.Startup;

/// <summary>The command line, and what must be ready before the adapter listens.</summary>
internal static class CommandLine
{
    public const int CanNotStart = 1;
    public const int NotReachable = 2;
    public const string DefaultUrl = "http://127.0.0.1:8090";

    private const string Help = """
        claimcheck-adapter: brings batches of ClaimCheck to where other systems read them, by configuration alone.

          --config FILE     reads settings from a JSON file, beside appsettings.json in the working directory
          --check           checks the settings, the service and the locations, says what it found, and ends
          --urls ADDRESSES  where it listens; http://127.0.0.1:8090 by default
          --Adapter:X=Y     one setting; the environment has the same as Adapter__X
          --help            this

        Exit codes: 0 ended as told, 1 the settings do not fit or the start failed, 2 (--check) something can't be reached.
        """;

    /// <summary>Runs <paramref name="main"/>; known configuration errors are printed one per line, with an exit code.</summary>
    public static async Task<int> GuardAsync(string[] args, Func<Task<int>> main)
    {
        if (args.Contains("--help") || args.Contains("-h"))
        {
            await Console.Out.WriteLineAsync(Help);
            return 0;
        }

        try
        {
            return await main();
        }
        catch (CanNotStartException e)
        {
            foreach (var line in e.Lines)
                await Console.Error.WriteLineAsync($"claimcheck-adapter: {line}");
            return CanNotStart;
        }
        catch (UnsafeAddressException e)
        {
            await Console.Error.WriteLineAsync($"claimcheck-adapter: {e.Message}");
            return CanNotStart;
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            await Console.Error.WriteLineAsync(
                $"claimcheck-adapter: {e.Message.TrimEnd('.')}. Choose another with --urls http://127.0.0.1:<port>.");
            return CanNotStart;
        }
    }

    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var at = Array.IndexOf(args, "--config");
        var file = at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        var others = args.Where((_, i) => at < 0 || (i != at && i != at + 1)).Where(arg => arg != "--check").ToArray();
        if (at >= 0 && file is null)
            throw new CanNotStartException("--config needs the path of a file: there would be nothing to read.");
        try
        {
            var builder = WebApplication.CreateBuilder(others);
            if (file is not null)
                Insert(builder.Configuration, Path.GetFullPath(file));
            return builder;
        }
        catch (Exception e) when (e is InvalidDataException or FormatException)
        {
            var place = e.GetBaseException() is System.Text.Json.JsonException json ? json.Message : e.InnerException?.Message;
            throw new CanNotStartException($"The settings can't be read: {e.Message} {place}".TrimEnd(), e);
        }
    }

    // Below the environment and the command line, which take precedence.
    private static void Insert(ConfigurationManager configuration, string file)
    {
        if (!File.Exists(file))
            throw new CanNotStartException(
                $"--config names {file}, but that file does not exist: there would be nothing to read.");
        var source = new JsonConfigurationSource { Path = file };
        source.ResolveFileProvider();
        var sources = ((IConfigurationBuilder)configuration).Sources;
        sources.Insert(sources.IndexOf(sources.OfType<JsonConfigurationSource>().Last()) + 1, source);
    }
}
