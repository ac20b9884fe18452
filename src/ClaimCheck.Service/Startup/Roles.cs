namespace ClaimCheck.Service.Startup;

/// <summary>The roles of this process: <c>ClaimCheck:Roles</c>, <c>api</c> and <c>worker</c>, both by default.</summary>
internal sealed record Roles(bool IsApi, bool IsWorker)
{
    public const string Setting = "ClaimCheck:Roles";

    public static Roles Of(IConfiguration configuration)
    {
        // As "api,worker" from the environment; from a file also as a list.
        var section = configuration.GetSection(Setting);
        var names = section.GetChildren().Select(child => child.Value ?? "")
            .Concat((section.Value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .ToList();
        if (names.Count == 0)
            return new(true, true);
        var unknown = names.FirstOrDefault(name => name is not ("api" or "worker"));
        if (unknown is not null)
            throw new StartupException(
                $"ClaimCheck:Roles names '{unknown}', but the roles are api and worker: nothing would do that work.");
        return new(names.Contains("api"), names.Contains("worker"));
    }
}
