using System.Net;
using System.Net.Http.Json;
using ClaimCheck.Contracts;
using ClaimCheck.Testing;

namespace ClaimCheck.Service.Tests.Api;

/// <summary>Records and live links are the service's own user's: on disk, and in the log however it is set.</summary>
public sealed class What_others_may_see
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private const UnixFileMode Passing = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    [Fact]
    public async Task Nothing_on_disk_is_another_user_s_and_no_setting_of_the_log_shows_a_link()
    {
        await using var scene = await Scene.CreateAsync();
        // By env: the shell that starts the service hands on no variable of such a name.
        await using var service = await ServiceProcess.StartAsync(
            scene.Settings,
            0,
            "env",
            "Logging__LogLevel__*=Trace",
            "Logging__LogLevel__Microsoft.AspNetCore.*=Trace",
            "Logging__LogLevel__Microsoft.AspNetCore.Hosting.Diagnostics=Trace",
            "Logging__LogLevel__Microsoft.AspNetCore.Hosting.Diagnostics*=Trace",
            "Logging__Console__LogLevel__Microsoft.AspNetCore.Hosting.D*Diagnostics=Trace");
        using var http = service.NewHttp();
        var manifest = await ExportAsync(http);
        var links = manifest.Files.SelectMany(file => new[] { file.Url.Reveal(), file.Index.Url.Reveal() }).ToList();
        using var anyone = new HttpClient();
        foreach (var link in links)
            Assert.Equal(HttpStatusCode.OK, (await anyone.GetAsync(link)).StatusCode);
        await http.GetAsync($"/v1/batches/{manifest.BatchId}/files/{manifest.Files[0].Name}");

        Assert.Contains("Executing endpoint", service.Log, StringComparison.Ordinal); // the settings have taken effect
        foreach (var signature in links.Select(link => new Uri(link).Query).Where(query => query.Length > 1))
            Assert.DoesNotContain(signature, service.Log, StringComparison.Ordinal);

        if (OperatingSystem.IsWindows())
            return;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(scene.DataDirectory) & (Others | Passing));
        foreach (var path in Directory.EnumerateFileSystemEntries(scene.DataDirectory, "*", SearchOption.AllDirectories))
            Assert.True((File.GetUnixFileMode(path) & (Others | Passing)) == UnixFileMode.None, $"{path} is open to others.");
    }

    [Fact]
    public async Task A_group_that_the_operator_names_may_read_staging_and_nothing_else()
    {
        if (OperatingSystem.IsWindows())
            return;
        await using var scene = await Scene.CreateAsync(items: 10);
        var (code, output) = await ServiceProcess.RunAsync(
            new Dictionary<string, string>(scene.Settings, StringComparer.Ordinal)
            {
                ["ClaimCheck__Staging__Group"] = "no-such-group",
            });
        Assert.Equal(1, code);
        Assert.Contains("ClaimCheck:Staging:Group is no-such-group, but this machine does not have that group", output,
            StringComparison.Ordinal);

        var service = await scene.StartServiceAsync(("ClaimCheck__Staging__Group", await OwnGroupAsync()));
        using var http = service.NewHttp();
        await ExportAsync(http);

        Assert.NotEqual(UnixFileMode.None, File.GetUnixFileMode(scene.DataDirectory) & UnixFileMode.GroupExecute);
        foreach (var path in Directory.EnumerateFiles(Path.Combine(scene.Staging, "batches"), "*", SearchOption.AllDirectories))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        foreach (var path in Directory.EnumerateDirectories(scene.Staging, "*", SearchOption.AllDirectories))
            Assert.Equal(
                UnixFileMode.None,
                File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherExecute | UnixFileMode.GroupWrite));
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path.Combine(scene.DataDirectory, "link-keys.json")) & Others);
    }

    private static async Task<Manifest> ExportAsync(HttpClient http)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "/v1/exports") { Content = JsonContent.Create(new { dataset = "items" }) };
        request.Headers.Add("Prefer", "wait=60");
        var export = await (await http.SendAsync(request)).Content.ReadFromJsonAsync<Export>(ClaimCheckJson.Options);
        // BulkReady comes after the manifest is written.
        await http.GetFromJsonAsync<Page<BulkEvent>>("/v1/events?wait=60", ClaimCheckJson.Options);
        return (await http.GetFromJsonAsync<Manifest>($"/v1/batches/{export!.BatchId}/manifest", ClaimCheckJson.Options))!;
    }

    private static async Task<string> OwnGroupAsync()
    {
        using var id = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("id", "-gn") { RedirectStandardOutput = true, UseShellExecute = false })!;
        var name = await id.StandardOutput.ReadToEndAsync();
        await id.WaitForExitAsync();
        return name.Trim();
    }
}
