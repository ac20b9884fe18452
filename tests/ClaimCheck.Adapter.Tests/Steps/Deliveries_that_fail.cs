using System.Text.Json.Nodes;
using ClaimCheck.Testing;

namespace ClaimCheck.Adapter.Tests.Steps;

/// <summary>What fails says why as long as it does, and is given up when the settings say so.</summary>
public sealed class Deliveries_that_fail
{
    [Fact]
    public async Task A_push_shows_why_it_fails_over_restarts_and_is_given_up_by_the_time_since_the_first()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        scene.AddRoute("crm", "ar-4", notifies: true);
        await scene.StartAsync();
        Directory.Delete(scene.Shared);

        var id = (string)(await scene.AskAsync(new { }))["id"]!;
        var first = await FailsAsync(scene, id, failure => (int)failure["tries"]! >= 2);
        Assert.Equal(("delivering", "location_away"), ((string)first["step"]!, (string)first["code"]!));
        Assert.Contains("is not there", (string)first["detail"]!, StringComparison.Ordinal);
        var inList = (await scene.GetAsync("/routes"))["items"]![0]!["last"]![0]!["lastFailure"]!;
        Assert.Equal((string)first["since"]!, (string)inList["since"]!);

        await scene.KillAsync();
        scene.Settings["Retry"]!["GiveUpAfter"] = "00:00:01";
        await scene.StartAsync();

        var failed = await scene.BecomesAsync(id, "failed");
        Assert.Equal("location_away", (string)failed["failure"]!["code"]!);
        Assert.Contains("given up after", (string)failed["failure"]!["detail"]!, StringComparison.Ordinal);
        Assert.Null(failed["lastFailure"]);
        Assert.Equal("location_away", (string)(await scene.HearsAsync(id, "export.failed")).Data["failure"]!["code"]!);
    }

    [Fact]
    public async Task A_refused_key_of_the_adapter_s_own_and_a_notice_that_is_not_taken_are_shown_until_they_are()
    {
        await using var scene = await AdapterScene.CreateAsync(items: 10);
        await using var front = await Front.StartAsync(scene.Service.Address);
        scene.Settings["Service"] = front.Address.ToString();
        scene.AddRoute("crm", "ar-4", notifies: true);
        scene.Consumer.Refuse(1_000_000);
        front.ExportAnswer = 401;
        await scene.StartAsync();

        // Not the caller's fault: it is accepted, and continues once the key is right.
        var asked = await scene.AskAsync(new { });
        var id = (string)asked["id"]!;
        Assert.Equal("requested", (string)asked["state"]!);
        Assert.Equal(("requested", "http_401"), await FailsAsync(scene, id, _ => true) is var failure
            ? ((string)failure["step"]!, (string)failure["code"]!)
            : default);
        front.ExportAnswer = null;

        Assert.Null((await scene.BecomesAsync(id, "delivered"))["lastFailure"]);
        var notice = await Eventually.NotNullAsync(
            async () => await NoticeAsync(scene, id) is { } duty && duty["lastFailure"] is not null ? duty : null);
        Assert.Equal("http_500", (string)notice["lastFailure"]!["code"]!);
        Assert.Null(notice["doneAt"]);
        scene.Consumer.Refuse(0);

        await scene.HearsAsync(id, "export.delivered");
        var done = await Eventually.NotNullAsync(
            async () => await NoticeAsync(scene, id) is { } duty && duty["doneAt"] is not null ? duty : null);
        Assert.Null(done["lastFailure"]);
    }

    private static async Task<JsonNode?> NoticeAsync(AdapterScene scene, string id) =>
        (await scene.GetAsync($"/exports/{id}"))["duties"]!.AsArray().FirstOrDefault(duty => (string)duty!["kind"]! == "notice");

    private static Task<JsonNode> FailsAsync(AdapterScene scene, string id, Func<JsonNode, bool> isEnough) =>
        Eventually.NotNullAsync(async () =>
            (await scene.GetAsync($"/exports/{id}"))["lastFailure"] is { } failure && isEnough(failure) ? failure : null);
}
